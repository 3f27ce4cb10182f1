#include "storage/store/delivery.h"

#include <span>
#include <utility>

#include "protocol/mime/reencode.h"
#include "storage/store/deferred.h"
#include "storage/store/folder_edit.h"
#include "storage/store/guest_seen.h"
#include "storage/store/id_lookup.h"
#include "storage/store/message_rows.h"
#include "storage/store/quota.h"
#include "storage/store/session_marks.h"
#include "storage/store/staged_source.h"

namespace storage {

using kv::Table;

namespace {

// More than this in one commit would make others wait for it; longer bodies are written before.
constexpr std::size_t kInlineBytes = 4 << 20;

bool ReadAll(protocol::mime::Source& source, std::uint64_t offset, std::span<char> out) {
  while (!out.empty()) {
    const auto got = source.Read(offset, out);
    if (got <= 0) return false;
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

Result<Delivery::Prepared> Delivery::Read(MailStore::Core& core, const NewMessage& message, Actor actor) {
  if (message.body.failed_) return Fail(Errc::kUnavailable, "octets of a message could not be written");
  StagedSource source(message.body, core.engine);
  auto inspection = protocol::mime::Inspect(source);
  if (!inspection) return Fail(Errc::kUnavailable, "staged octets cannot be read back");
  auto what = protocol::cpm::Classify(*inspection, source);
  if (source.failed()) return Fail(Errc::kUnavailable, "staged octets cannot be read back");
  if (what.malformed && core.options.profile.strict)
    return Fail(Errc::kNotAllowed, "The object is malformed: " + what.fault);
  Prepared out{.inspection = *std::move(inspection), .what = std::move(what)};
  out.octets = message.body.size();
  const auto nul = out.inspection.has_nul ? protocol::mime::Nul::kMaybe : protocol::mime::Nul::kNone;
  out.parts = protocol::mime::EncodeParts(out.inspection.parts, nul);
  if (out.inspection.has_nul) {
    auto reencoded = protocol::mime::Reencode(source, out.inspection.parts);
    if (!reencoded) return Fail(Errc::kUnavailable, "staged octets cannot be read back");
    if (*reencoded) {
      auto& [served, body, body_structure] = **reencoded;
      out.octets = served.size;
      out.parts = protocol::mime::EncodeParts(out.inspection.parts, served);
      out.inspection.body = std::move(body);
      out.inspection.body_structure = std::move(body_structure);
    }
  }
  out.ids = schema::EncodeIds(IdsOf(out.inspection));
  ASSIGN_OR_RETURN(out.expiry, ExpiryOf(message, out.inspection, actor, core.options.profile, core.Now()));
  out.flags = WithoutDeferred(message.flags);
  if (out.expiry != 0) out.flags.Insert(kDeferredKeyword);
  return out;
}

Result<Delivery> Delivery::Prepare(MailStore::Core& core, std::vector<NewMessage> messages, Actor actor) {
  if (messages.empty()) return Fail(Errc::kInvalidArgument, "There is no message to append");
  Delivery out;
  std::size_t in_memory = 0;
  for (const auto& message : messages) {
    ASSIGN_OR_RETURN(auto prepared, Read(core, message, actor));
    out.octets_ += prepared.octets;
    out.prepared_.push_back(std::move(prepared));
    in_memory += message.body.in_memory();
  }
  if (in_memory > kInlineBytes) {
    for (auto& message : messages) RETURN_IF_ERROR(message.body.Seal());
  }
  out.messages_ = std::move(messages);
  return out;
}

Result<> Delivery::PutRows(AccountTxn& txn, FolderId folder, Uid uid, const NewMessage& message,
                           const Prepared& prepared) {
  const StagedBody& body = message.body;
  const auto& inspection = prepared.inspection;
  const schema::StoredMessage stored{
      .internal_date = message.internal_date.value_or(protocol::InternalDate{txn.now(), 0}),
      .save_date = txn.now(),
      .size = body.size(),
      .object = body.object(),
      .object_kind = prepared.what.kind,
      .malformed = prepared.what.malformed,
      .expiry = prepared.expiry,
      .sent = inspection.date,
      .envelope = inspection.envelope,
      .body = inspection.body,
      .body_structure = inspection.body_structure,
      .parts = prepared.parts,
      .ids = prepared.ids};
  RETURN_IF_ERROR(PutMessage(txn, folder, uid, stored));
  const schema::TextRow text{inspection.search_truncated, inspection.search_header, inspection.search_text};
  txn.Put(Table::kTexts, schema::ObjectKey{txn.account(), body.object()}.Encode(), text.Encode());
  if (!body.tail_.empty()) {
    txn.Put(Table::kBodies, schema::ChunkKey{txn.account(), body.object(), body.chunks_written_}.Encode(),
            body.tail_);
  }
  if (body.chunks_written_ > 0) {
    txn.Erase(
        Table::kIntents,
        schema::IntentKey{txn.account(), schema::IntentKind::kStagedObject, body.object().value}.Encode());
  }
  return {};
}

Result<AppendResult> Delivery::Place(AccountTxn& txn, const FolderTree& tree, FolderId folder,
                                     Actor actor) const {
  ASSIGN_OR_RETURN(auto row, txn.Account());
  ASSIGN_OR_RETURN(auto edit, FolderEdit::Load(txn, folder));
  ASSIGN_OR_RETURN(const Rights rights, tree.RightsIn(folder, edit.row()));
  RETURN_IF_ERROR(Demand(rights, Right::kInsert));
  ASSIGN_OR_RETURN(const model::Place place, tree.PlaceOf(edit.row()));
  for (const auto& message : prepared_)
    RETURN_IF_ERROR(model::MayAppend(message.what.kind, place, tree.Asker()));
  row.used_octets += octets_;
  row.used_messages += messages_.size();
  RETURN_IF_ERROR(CheckMessageQuota(row));
  ASSIGN_OR_RETURN(const ModSeq modseq, txn.NextModSeq());
  txn.PutAccount(std::move(row));

  AppendResult out;
  std::vector<Arrival> arrivals;
  const auto viewer = ViewerOf(actor);
  std::optional<GuestSeen> seen;
  if (viewer) seen.emplace(txn, folder, *viewer);
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    // RFC 4314 §4: flags that may not be set are dropped.
    ASSIGN_OR_RETURN(FlagBits flags, edit.BitsOf(ChangeableAmong(prepared_[i].flags, rights)));
    const bool guest_has_seen = seen && flags.Has(protocol::SystemFlag::kSeen);
    if (guest_has_seen) flags.system = WithSeen(flags.system, false);
    ASSIGN_OR_RETURN(const Uid uid,
                     edit.Add({flags.system, flags.keywords, modseq.value}, prepared_[i].octets));
    if (guest_has_seen) RETURN_IF_ERROR(seen->Set(uid, true));
    RETURN_IF_ERROR(PutRows(txn, folder, uid, messages_[i], prepared_[i]));
    out.uids.Add(uid);
    arrivals.push_back({uid, prepared_[i].what.kind});
  }
  if (seen) seen->Save();
  edit.Save(modseq);
  RETURN_IF_ERROR(MarkArrivals(txn, edit, arrivals));
  out.folder = edit.ref();
  out.uid_validity = edit.row().uid_validity;
  txn.Announce(actor.origin, MessagesAdded{folder, out.uids, edit.Summary()});
  return out;
}

Result<std::vector<Delivery::Alike>> Delivery::FindAlike(const AccountTxn& txn, FolderId folder) const {
  std::vector<Alike> alike;
  ASSIGN_OR_RETURN(const auto id, IdIn(prepared_.front().ids, IdKind::kImdnMessage));
  if (!IsIndexed(IdKind::kImdnMessage, id)) return alike;
  ASSIGN_OR_RETURN(const auto found, FindById(txn, IdKind::kImdnMessage, id));
  for (const FoundMessage& message : found) {
    if (alike.size() == kMostAlike) break;
    if (message.folder != folder) continue;
    const auto key = schema::MessageKey{txn.account(), folder, message.uid}.Encode();
    ASSIGN_OR_RETURN(const auto encoded, txn.Get(Table::kMessages, key));
    if (!encoded) return Fail(Errc::kCorruption, "a message has no row");
    ASSIGN_OR_RETURN(const auto row, schema::StoredMessage::Decode(*encoded));
    if (row.size == messages_.front().body.size()) alike.push_back({message.uid, row.object});
  }
  return alike;
}

Result<bool> Delivery::IsFirst(MailStore& store, MailStore::Core& core, AccountId account,
                               ObjectId object) const {
  const StagedBody& body = messages_.front().body;
  StagedSource ours(body, core.engine);
  const auto theirs = store.OpenBody(account, object, body.size());
  std::string piece;
  for (std::uint64_t at = 0; at < body.size(); at += piece.size()) {
    protocol::mime::Octets there;
    if (theirs->Share(at, StagedBody::kChunk, there) <= 0) return false;  // it goes just now
    piece.resize(there.size());
    if (!ReadAll(ours, at, piece)) return Fail(Errc::kUnavailable, "staged octets cannot be read back");
    if (piece != there.view()) return false;
  }
  return true;
}

void Delivery::Done() {
  for (auto& message : messages_) message.body.store_ = nullptr;
}

}  // namespace storage
