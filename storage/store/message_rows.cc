#include "storage/store/message_rows.h"

#include "protocol/mime/parts.h"
#include "storage/store/message.h"
#include "storage/store/session_marks.h"

namespace storage {

using kv::Table;

Result<> ForEachMessage(const AccountTxn& txn, FolderId folder, const UidSet& uids,
                        const MessageVisitor& visit) {
  for (const auto& range : uids.ranges()) {
    const std::string first = schema::MessageKey{txn.account(), folder, range.first}.Encode();
    // One octet more than the last key, so that the range includes it.
    const std::string end = schema::MessageKey{txn.account(), folder, range.last}.Encode() + '\0';
    Result<> bad;
    RETURN_IF_ERROR(txn.Scan(Table::kMessages, first, end, [&](std::string_view key, std::string_view value) {
      const auto at = schema::MessageKey::Decode(key);
      const auto row = schema::StoredMessage::Decode(value);
      if (!at || !row)
        bad = tl::unexpected<Error>(at ? row.error() : at.error());
      else
        bad = visit(at->uid, *row);
      return bad.has_value();
    }));
    RETURN_IF_ERROR(bad);
  }
  return {};
}

namespace {

schema::ExpiryKey ExpiryKeyOf(const AccountTxn& txn, FolderId folder, Uid uid,
                              const schema::StoredMessage& message) {
  return {.account = txn.account(),
          .kind = schema::ExpiryKind::kDeferred,
          .due = message.expiry,
          .folder = folder,
          .id = uid.value};
}

}  // namespace

Result<> PutMessage(AccountTxn& txn, FolderId folder, Uid uid, const schema::StoredMessage& message) {
  txn.Put(Table::kMessages, schema::MessageKey{txn.account(), folder, uid}.Encode(), message.Encode());
  ASSIGN_OR_RETURN(const auto ids, schema::IdKeysOf(txn.account(), folder, uid, message));
  for (const auto& key : ids) txn.Put(Table::kIds, key, schema::MarkerRow());
  if (message.expiry != 0) txn.PutExpiry(ExpiryKeyOf(txn, folder, uid, message), schema::MarkerRow());
  return {};
}

Result<> FreeMessage(AccountTxn& txn, FolderId folder, Uid uid, const schema::StoredMessage& message) {
  txn.Erase(Table::kMessages, schema::MessageKey{txn.account(), folder, uid}.Encode());
  ASSIGN_OR_RETURN(const auto ids, schema::IdKeysOf(txn.account(), folder, uid, message));
  for (const auto& key : ids) txn.Erase(Table::kIds, key);
  if (message.expiry != 0) txn.Erase(Table::kExpiries, ExpiryKeyOf(txn, folder, uid, message).Encode());
  const std::string object = schema::ObjectKey{txn.account(), message.object}.Encode();
  ASSIGN_OR_RETURN(const auto refs, txn.Get(Table::kBodyRefs, object));
  if (refs) {
    ASSIGN_OR_RETURN(const auto row, schema::BodyRefRow::Decode(*refs));
    if (row.count > 2)
      txn.Put(Table::kBodyRefs, object, schema::BodyRefRow{row.count - 1}.Encode());
    else
      txn.Erase(Table::kBodyRefs, object);
    return {};
  }
  txn.Erase(Table::kTexts, object);
  const std::uint64_t chunks = (message.size + StagedBody::kChunk - 1) / StagedBody::kChunk;
  for (std::uint32_t chunk = 0; chunk < chunks; ++chunk) {
    txn.Erase(Table::kBodies, schema::ChunkKey{txn.account(), message.object, chunk}.Encode());
  }
  return {};
}

Result<> ShareObject(AccountTxn& txn, ObjectId object) {
  const std::string key = schema::ObjectKey{txn.account(), object}.Encode();
  ASSIGN_OR_RETURN(const auto refs, txn.Get(Table::kBodyRefs, key));
  schema::BodyRefRow row;
  if (refs) {
    ASSIGN_OR_RETURN(row, schema::BodyRefRow::Decode(*refs));
  }
  txn.Put(Table::kBodyRefs, key, schema::BodyRefRow{row.count + 1}.Encode());
  return {};
}

Result<schema::IntentKey> ExpungeMessages(AccountTxn& txn, FolderEdit& edit, const UidSet& uids,
                                          Origin origin) {
  ASSIGN_OR_RETURN(const ModSeq modseq, txn.NextModSeq());
  ASSIGN_OR_RETURN(auto account, txn.Account());
  RETURN_IF_ERROR(
      ForEachMessage(txn, edit.id(), uids, [&](Uid uid, const schema::StoredMessage& message) -> Result<> {
        const auto octets = protocol::mime::ServedSize(message.parts, message.size);
        edit.Remove(uid, octets);
        account.used_octets -= octets;
        account.used_messages -= 1;
        return {};
      }));
  txn.PutAccount(std::move(account));
  edit.Save(modseq);
  RETURN_IF_ERROR(MarkExpunged(txn, edit, uids));
  const schema::IntentKey intent = PutVanished(txn, edit.id(), uids, modseq);
  txn.Announce(origin, MessagesExpunged{edit.id(), uids, edit.Summary()});
  return intent;
}

schema::IntentKey PutVanished(AccountTxn& txn, FolderId folder, const UidSet& uids, ModSeq modseq) {
  txn.Put(Table::kVanished, schema::VanishedKey{txn.account(), folder, modseq}.Encode(),
          schema::VanishedRow{txn.now(), uids}.Encode());
  const schema::IntentKey intent{txn.account(), schema::IntentKind::kPurge, modseq.value};
  txn.Put(Table::kIntents, intent.Encode(), schema::PurgeRow{folder, uids}.Encode());
  return intent;
}

}  // namespace storage
