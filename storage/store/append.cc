#include <algorithm>
#include <utility>

#include "protocol/cpm/classify.h"
#include "protocol/mime/inspect.h"
#include "storage/store/body_source.h"
#include "storage/store/core.h"
#include "storage/store/deferred.h"
#include "storage/store/folder_edit.h"
#include "storage/store/folder_tree.h"
#include "storage/store/id_lookup.h"
#include "storage/store/message_rows.h"
#include "storage/store/session_marks.h"

namespace storage {

using kv::Table;
using protocol::mime::Inspection;

/// A staged body as MIME sees it: the chunks in the store, then the octets still in memory.
class StagedSource final : public protocol::mime::Source {
 public:
  StagedSource(const StagedBody& body, kv::Engine& engine)
      : body_(body),
        in_store_(std::uint64_t{body.chunks_written_} * StagedBody::kChunk),
        chunks_(body.account_, body.object_, in_store_,
                [&engine](const std::string& key) { return engine.Get(Table::kBodies, key); }) {}

  std::uint64_t size() const override { return body_.size_; }
  /// Octets could not be had: what was read is not what there is.
  bool failed() const { return failed_; }
  std::int64_t Read(std::uint64_t offset, std::span<char> out) override {
    if (offset < in_store_) {
      const auto octets = chunks_.Read(offset, out);
      failed_ = failed_ || octets < 0;
      return octets;
    }
    return protocol::mime::MemorySource(body_.tail_).Read(offset - in_store_, out);
  }

 private:
  const StagedBody& body_;
  std::uint64_t in_store_;
  BodySource chunks_;
  bool failed_ = false;
};

namespace {

// More than this in one commit would make others wait for it; longer bodies are written before.
constexpr std::size_t kInlineBytes = 4 << 20;

/// Everything about a message that can be known before it has a UID.
struct Prepared {
  Inspection inspection;
  std::string parts;
  std::string ids;
  protocol::cpm::Classified what;
  protocol::FlagSet flags;
  std::int64_t expiry = 0;
};

}  // namespace

Result<> MailStore::CheckRoom(AccountId account, std::uint64_t octets, std::uint64_t messages) {
  ASSIGN_OR_RETURN(const auto info, GetAccount(account));
  const auto fits = [](std::uint64_t quota, std::uint64_t used, std::uint64_t more) {
    return quota == 0 || (used <= quota && more <= quota - used);
  };
  if (!fits(info.quota_octets, info.used_octets, octets) ||
      !fits(info.quota_messages, info.used_messages, messages))
    return Fail(Errc::kOverQuota);
  return {};
}

Result<AppendResult> MailStore::Append(AccountId account, std::string_view path,
                                       std::vector<NewMessage> messages, Actor actor) {
  std::vector<Prepared> prepared;
  std::uint64_t octets = 0;
  std::size_t in_memory = 0;
  if (messages.empty()) return Fail(Errc::kInvalidArgument, "There is no message to append");
  for (const auto& message : messages) {
    if (message.body.failed_) return Fail(Errc::kUnavailable, "octets of a message could not be written");
    StagedSource source(message.body, core_->engine);
    auto inspection = protocol::mime::Inspect(source);
    if (!inspection) return Fail(Errc::kUnavailable, "staged octets cannot be read back");
    protocol::cpm::Classified what = protocol::cpm::Classify(*inspection, source);
    if (source.failed()) return Fail(Errc::kUnavailable, "staged octets cannot be read back");
    if (what.malformed && core_->options.profile.strict)
      return Fail(Errc::kNotAllowed, "The object is malformed: " + what.fault);
    std::string parts = protocol::mime::EncodeParts(inspection->parts);
    std::string ids = schema::EncodeIds(IdsOf(*inspection));
    ASSIGN_OR_RETURN(const std::int64_t expiry,
                     ExpiryOf(message, *inspection, actor, core_->options.profile, core_->Now()));
    protocol::FlagSet flags = WithoutDeferred(message.flags);
    if (expiry != 0) flags.Insert(kDeferredKeyword);
    prepared.push_back({.inspection = *std::move(inspection),
                        .parts = std::move(parts),
                        .ids = std::move(ids),
                        .what = std::move(what),
                        .flags = std::move(flags),
                        .expiry = expiry});
    octets += message.body.size();
    in_memory += message.body.tail_.size();
  }
  if (in_memory > kInlineBytes) {
    for (auto& message : messages) {
      if (!message.body.tail_.empty()) RETURN_IF_ERROR(message.body.FlushChunk());
    }
  }

  AppendResult out;
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(auto row, txn.Account());
    const FolderTree tree(txn, core_->options, actor);
    ASSIGN_OR_RETURN(const FolderId folder, tree.Resolve(path));
    ASSIGN_OR_RETURN(auto edit, FolderEdit::Load(txn, folder));
    ASSIGN_OR_RETURN(const model::Place place, tree.PlaceOf(edit.row()));
    for (const auto& message : prepared)
      RETURN_IF_ERROR(model::MayAppend(message.what.kind, place, tree.Asker()));
    row.used_octets += octets;
    row.used_messages += messages.size();
    if ((row.quota_octets != 0 && row.used_octets > row.quota_octets) ||
        (row.quota_messages != 0 && row.used_messages > row.quota_messages)) {
      return Fail(Errc::kOverQuota);
    }
    ASSIGN_OR_RETURN(const ModSeq modseq, txn.NextModSeq());
    txn.PutAccount(std::move(row));
    std::vector<Arrival> arrivals;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const NewMessage& message = messages[i];
      const StagedBody& body = message.body;
      const Inspection& inspection = prepared[i].inspection;
      ASSIGN_OR_RETURN(const FlagBits flags, edit.BitsOf(prepared[i].flags));
      ASSIGN_OR_RETURN(const Uid uid, edit.Add({flags.system, flags.keywords, modseq.value}, body.size()));
      const schema::StoredMessage stored{
          .internal_date = message.internal_date.value_or(protocol::InternalDate{txn.now(), 0}),
          .save_date = txn.now(),
          .size = body.size(),
          .object = body.object(),
          .object_kind = prepared[i].what.kind,
          .malformed = prepared[i].what.malformed,
          .expiry = prepared[i].expiry,
          .sent = inspection.date,
          .envelope = inspection.envelope,
          .body = inspection.body,
          .body_structure = inspection.body_structure,
          .parts = prepared[i].parts,
          .ids = prepared[i].ids};
      RETURN_IF_ERROR(PutMessage(txn, folder, uid, stored));
      const schema::TextRow text{inspection.search_truncated, inspection.search_header,
                                 inspection.search_text};
      txn.Put(Table::kTexts, schema::ObjectKey{account, body.object()}.Encode(), text.Encode());
      if (!body.tail_.empty()) {
        txn.Put(Table::kBodies, schema::ChunkKey{account, body.object(), body.chunks_written_}.Encode(),
                body.tail_);
      }
      if (body.chunks_written_ > 0) {
        txn.Erase(
            Table::kIntents,
            schema::IntentKey{account, schema::IntentKind::kStagedObject, body.object().value}.Encode());
      }
      out.uids.Add(uid);
      arrivals.push_back({uid, prepared[i].what.kind});
    }
    edit.Save(modseq);
    RETURN_IF_ERROR(MarkArrivals(txn, edit, arrivals));
    out.folder = edit.ref();
    out.uid_validity = edit.row().uid_validity;
    txn.Announce(actor.origin, MessagesAdded{folder, out.uids});
    return {};
  }));
  // The bodies belong to messages now: their destructors must not give them up.
  for (auto& message : messages) message.body.store_ = nullptr;
  return out;
}

}  // namespace storage
