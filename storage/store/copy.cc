#include <ranges>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "protocol/mime/parts.h"
#include "protocol/model/ascii.h"
#include "storage/store/annotation_edit.h"
#include "storage/store/core.h"
#include "storage/store/deferred.h"
#include "storage/store/folder_edit.h"
#include "storage/store/folder_tree.h"
#include "storage/store/guest_seen.h"
#include "storage/store/message_rows.h"
#include "storage/store/quota.h"
#include "storage/store/session_marks.h"

namespace storage {
namespace {

using kv::Table;
using schema::StatePage;

// Above this many messages the rows are written before the commit that shows them, some at a time (design.md
// 5: no batch over about 1,000 keys).
constexpr std::uint64_t kOneCommit = 100;

/// Source keyword bits -> target keyword bits, adding to the target's table only what a message really has.
class KeywordMap {
 public:
  KeywordMap(const KeywordTable& source, FolderEdit& target)
      : source_(source), target_(target), bits_(source.size(), 0) {}

  Result<std::uint64_t> Translate(std::uint64_t keywords) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < source_.size(); ++i) {
      if ((keywords >> i & 1) == 0) continue;
      if (bits_[i] == 0) {
        protocol::FlagSet one;
        one.Insert(source_[i]);
        ASSIGN_OR_RETURN(const FlagBits bits, target_.BitsOf(one));
        bits_[i] = bits.keywords;
      }
      out |= bits_[i];
    }
    return out;
  }

 private:
  const KeywordTable source_;  // a copy: source and target may be one folder
  FolderEdit& target_;
  std::vector<std::uint64_t> bits_;
};

struct Moving {
  Uid uid;
  StatePage::State state;
  std::uint64_t size = 0;
  protocol::ObjectKind kind = protocol::ObjectKind::kUnclassified;
};

/// The rule, and the messages that a client leaves out to have the others.
std::string Refusal(std::string_view rule, const UidSet& uids) {
  constexpr std::size_t kRanges = 20;  // a client's status line is short
  UidSet named;
  for (const auto& range : uids.ranges() | std::views::take(kRanges)) named.Add(range.first, range.last);
  return fmt::format("{}. Nothing was copied or moved; leave out UID {}{}", rule, named.ToString(),
                     named == uids ? "" : fmt::format(" and {} more", uids.size() - named.size()));
}

/// One COPY or MOVE inside its transaction.
class CopyOperation {
 public:
  /// `may`: whether the model lets an object of a kind come.
  using May = std::function<Result<>(protocol::ObjectKind)>;
  /// `flags`: those that may be set in the target; others are dropped (RFC 4314 §4).
  CopyOperation(AccountTxn& txn, FolderEdit& source, FolderEdit& target, ModSeq modseq, const Actor& actor,
                FlagBits flags, May may)
      : txn_(txn),
        source_(source),
        target_(target),
        modseq_(modseq),
        deferred_(MarksOf(source.row().keywords).deferred),
        access_(ActsAsOwner(actor)),
        viewer_(ViewerOf(actor)),
        flags_{flags.system, access_ ? flags.keywords & ~deferred_ : flags.keywords | deferred_},
        may_(std::move(may)) {}

  /// Gives each message a row at its future UID, without showing it. The rows of a long copy are written
  /// ahead; until the commit that shows them, an intent says that they are to be freed.
  Result<> WriteRows(const UidSet& uids, bool ahead) {
    RETURN_IF_ERROR(source_.ForEach(
        uids, [&](Uid uid, const StatePage::State& state) { messages_.push_back({uid, state}); }));
    if (messages_.empty()) return {};
    const Uid first = target_.row().uid_next;
    if (messages_.size() >= protocol::kMaxUid.value - first.value)
      return Fail(Errc::kTooBig, "The target folder has used up its UIDs");
    const Uid last{first.value + static_cast<std::uint32_t>(messages_.size()) - 1};

    UidSet present;
    for (const auto& message : messages_) present.Add(message.uid);
    const schema::IntentKey intent{txn_.account(), schema::IntentKind::kPurge, modseq_.value};
    AccountTxn::Commit part;
    auto rows = std::make_unique<AccountTxn>(txn_.engine(), txn_.account(), txn_.now(), part);
    if (ahead) RETURN_IF_ERROR(Reserve(*rows, intent, first, last));

    std::size_t i = 0;
    UidSet refused;
    Error refusal{};
    const auto flush = [&]() -> Result<> {
      rows->Join();
      RETURN_IF_ERROR(txn_.engine().Apply(part.batch, kv::Durability::kBeforeNext));
      part.batch.Clear();
      rows = std::make_unique<AccountTxn>(txn_.engine(), txn_.account(), txn_.now(), part);
      return {};
    };
    RETURN_IF_ERROR(ForEachMessage(
        txn_, source_.id(), present, [&](Uid uid, const schema::StoredMessage& message) -> Result<> {
          if (i >= messages_.size() || messages_[i].uid != uid)
            return Fail(Errc::kCorruption, "a message has no row");
          if (auto allowed = may_(message.object_kind); !allowed) {
            if (refused.empty()) refusal = std::move(allowed).error();
            refused.Add(uid);
          }
          if (!refused.empty()) {  // all or none: from here on, only what else is refused is of interest
            ++i;
            return {};
          }
          messages_[i].size = protocol::mime::ServedSize(message.parts, message.size);
          messages_[i].kind = message.object_kind;
          schema::StoredMessage copy = message;
          copy.save_date = txn_.now();
          const bool temporary = !access_ && (messages_[i].state.keywords & deferred_) != 0;
          if (!temporary) copy.expiry = 0;
          if (temporary) txn_.NoteDue(copy.expiry);  // rows written ahead are in another transaction
          AccountTxn& into = ahead ? *rows : txn_;
          RETURN_IF_ERROR(
              PutMessage(into, target_.id(), Uid{first.value + static_cast<std::uint32_t>(i)}, copy));
          RETURN_IF_ERROR(ShareObject(into, message.object));
          ++i;
          if (ahead && i % kOneCommit == 0) RETURN_IF_ERROR(flush());
          return {};
        }));
    if (i != messages_.size()) return Fail(Errc::kCorruption, "a message has no row");
    if (!refused.empty()) return Fail(refusal.code, Refusal(refusal.detail, refused));
    if (ahead) {
      RETURN_IF_ERROR(flush());
      txn_.Erase(Table::kIntents, intent.Encode());
    }
    return {};
  }

  Result<> Show(KeywordMap& keywords, CopyResult& out) {
    const bool may_set_seen = (flags_.system & kSeenBit) != 0;
    std::optional<GuestSeen> seen;
    std::optional<GuestSeen> seen_there;
    if (viewer_ && may_set_seen) {
      seen.emplace(txn_, source_.id(), *viewer_);
      seen_there.emplace(txn_, target_.id(), *viewer_);
    }
    for (const auto& message : messages_) {
      ASSIGN_OR_RETURN(const std::uint64_t bits,
                       keywords.Translate(message.state.keywords & flags_.keywords));
      ASSIGN_OR_RETURN(const Uid uid, target_.Add({message.state.system & flags_.system, bits, modseq_.value},
                                                  message.size));
      if (seen) {
        ASSIGN_OR_RETURN(const bool has_seen, seen->Has(message.uid));
        if (has_seen) RETURN_IF_ERROR(seen_there->Set(uid, true));
      }
      octets_ += message.size;
      out.source.Add(message.uid);
      out.target.Add(uid);
      arrivals_.push_back({uid, message.kind});
    }
    if (seen_there) seen_there->Save();
    return {};
  }

  void HideSources() {
    for (const auto& message : messages_) source_.Remove(message.uid, message.size);
  }

  std::uint64_t octets() const { return octets_; }
  const std::vector<Arrival>& arrivals() const { return arrivals_; }

 private:
  /// Whatever becomes of this operation, nobody else will get these UIDs (or, of a target that this operation
  /// makes, this folder id) or this modseq, so the intent may be carried out at any time.
  Result<> Reserve(AccountTxn& rows, const schema::IntentKey& intent, Uid first, Uid last) {
    const auto committed = rows.Folder(target_.id());
    if (!committed && committed.error().code != Errc::kNoSuchFolder)
      return tl::unexpected<Error>(committed.error());
    if (committed) {
      schema::FolderRow folder = target_.row();
      folder.uid_next = Uid{last.value + 1};
      rows.PutFolder(target_.id(), folder);
    } else {
      ASSIGN_OR_RETURN(const auto mine, txn_.Account());
      ASSIGN_OR_RETURN(auto account, rows.Account());
      account.next_folder = mine.next_folder;
      account.next_uid_validity = mine.next_uid_validity;
      rows.PutAccount(std::move(account));
    }
    RETURN_IF_ERROR(rows.NextModSeq());
    rows.Put(Table::kIntents, intent.Encode(), schema::PurgeRow{target_.id(), UidSet(first, last)}.Encode());
    return {};
  }

  AccountTxn& txn_;
  FolderEdit& source_;
  FolderEdit& target_;
  ModSeq modseq_;
  const std::uint64_t deferred_;           ///< $Deferred in the source
  const bool access_;                      ///< by the owner: what was temporary is so no longer (spec note 6)
  const std::optional<AccountId> viewer_;  ///< a guest, whose \Seen goes with the copies
  const FlagBits flags_;                   ///< of the source, that copies keep
  May may_;
  std::vector<Moving> messages_;
  std::vector<Arrival> arrivals_;
  std::uint64_t octets_ = 0;
};

enum class Sources { kKeep, kRemove };

/// RFC 4314 §4, RFC 6851 §4.2.
Rights NeededOfSource(Sources sources) {
  if (sources == Sources::kKeep) return Right::kRead;
  return Right::kRead | Right::kDeleteMessages | Right::kExpunge;
}

/// What a COPY or MOVE leaves to the janitor: one intent if it succeeds, the other if it does not.
struct LeftOver {
  std::optional<schema::IntentKey> sources;  ///< of a MOVE: they are gone
  std::optional<schema::IntentKey> ahead;    ///< rows written ahead
};

/// The part of a COPY or MOVE that happens in the account's lane. `ahead` needs it for itself.
Result<> Transfer(AccountTxn& txn, const FolderTree& tree, FolderId from, FolderId to, const UidSet& uids,
                  Sources sources, bool ahead, Actor actor, CopyResult& out, LeftOver& left) {
  ASSIGN_OR_RETURN(auto source, FolderEdit::Load(txn, from));
  std::optional<FolderEdit> other;
  if (to != from) {
    ASSIGN_OR_RETURN(other, FolderEdit::Load(txn, to));
  }
  FolderEdit& target = other ? *other : source;
  ASSIGN_OR_RETURN(const Rights in_source, tree.RightsIn(from, source.row()));
  RETURN_IF_ERROR(Demand(in_source, NeededOfSource(sources)));
  ASSIGN_OR_RETURN(const Rights in_target, tree.RightsIn(to, target.row()));
  RETURN_IF_ERROR(Demand(in_target, Right::kInsert));
  out.uid_validity = target.row().uid_validity;
  ASSIGN_OR_RETURN(const model::Place place, tree.PlaceOf(target.row()));
  const auto source_kind = static_cast<FolderKind>(source.row().kind);
  const auto may = [&](protocol::ObjectKind object) {
    return sources == Sources::kKeep ? model::MayCopy(object, place, tree.Asker())
                                     : model::MayMove(object, source_kind, place, tree.Asker());
  };
  // Whatever the objects are: before the first row is written, and also if there are none.
  RETURN_IF_ERROR(may(protocol::ObjectKind::kUnclassified));
  ASSIGN_OR_RETURN(const ModSeq modseq, txn.ComingModSeq());

  CopyOperation copy(txn, source, target, modseq, actor, ChangeableFlags(in_target), may);
  KeywordMap keywords(source.row().keywords, target);
  if (ahead) left.ahead = schema::IntentKey{txn.account(), schema::IntentKind::kPurge, modseq.value};
  RETURN_IF_ERROR(copy.WriteRows(uids, ahead));
  RETURN_IF_ERROR(copy.Show(keywords, out));
  if (out.target.empty()) {
    left.ahead.reset();
    return {};
  }
  RETURN_IF_ERROR(txn.NextModSeq());
  if (sources == Sources::kKeep) {
    ASSIGN_OR_RETURN(auto account, txn.Account());
    account.used_octets += copy.octets();
    account.used_messages += out.target.size();
    RETURN_IF_ERROR(CheckMessageQuota(account));
    txn.PutAccount(std::move(account));
    if (ActsAsOwner(actor)) RETURN_IF_ERROR(MakePermanent(txn, source, out.source));
  } else {
    copy.HideSources();
    left.sources = PutVanished(txn, from, out.source, modseq);
    source.Save(modseq);
  }
  target.Save(modseq);
  RETURN_IF_ERROR(MarkArrivals(txn, target, copy.arrivals()));
  // The new ones last: within one folder both have one modseq, and who has heard of half of it must be able
  // to count on having heard of the expunge (RFC 7162 §3.2).
  if (sources == Sources::kRemove)
    txn.Announce(actor.origin, MessagesExpunged{from, out.source, source.Summary()});
  txn.Announce(actor.origin, MessagesAdded{to, out.target, target.Summary()});
  return {};
}

void Leave(Janitor& janitor, const LeftOver& left, bool done) {
  const auto& intent = done ? left.sources : left.ahead;
  if (intent) janitor.Add(*intent);
}

Result<CopyResult> CopyOrMove(MailStore::Core& core, FolderRef folder, const UidSet& uids,
                              std::string_view target_path, Sources sources, Actor actor) {
  CopyResult out;
  LeftOver left;
  const bool ahead = uids.size() > kOneCommit;
  const auto done = core.lanes.Run(
      folder.account,
      [&](AccountTxn& txn) -> Result<> {
        const FolderTree tree(txn, core.options, actor);
        ASSIGN_OR_RETURN(const FolderId target, tree.Resolve(target_path));
        return Transfer(txn, tree, folder.folder, target, uids, sources, ahead, actor, out, left);
      },
      ahead ? AccountLanes::Sharing::kSolo : AccountLanes::Sharing::kShared);
  Leave(core.janitor, left, done.has_value());
  RETURN_IF_ERROR(done);
  return out;
}

}  // namespace

Result<CopyResult> MailStore::Copy(FolderRef folder, const UidSet& uids, std::string_view target,
                                   Actor actor) {
  return CopyOrMove(*core_, folder, uids, target, Sources::kKeep, actor);
}

Result<CopyResult> MailStore::Move(FolderRef folder, const UidSet& uids, std::string_view target,
                                   Actor actor) {
  return CopyOrMove(*core_, folder, uids, target, Sources::kRemove, actor);
}

Result<> RenameInbox(MailStore::Core& core, AccountId account, std::string_view to, Actor actor) {
  LeftOver left;
  const auto done = core.lanes.Run(
      account,
      [&](AccountTxn& txn) -> Result<> {
        FolderTree tree(txn, core.options, actor);
        ASSIGN_OR_RETURN(const FolderId inbox, tree.Resolve("INBOX"));
        ASSIGN_OR_RETURN(const auto before, txn.Folder(inbox));
        ASSIGN_OR_RETURN(const Rights have, tree.RightsIn(inbox, before));
        RETURN_IF_ERROR(Demand(have, Right::kDeleteMailbox));
        ASSIGN_OR_RETURN(const FolderId target, tree.CreateAs(FolderKind::kUser, to));
        RETURN_IF_ERROR(CopyAnnotations(txn, inbox, target, core.options));
        ASSIGN_OR_RETURN(const auto row, txn.Folder(inbox));
        CopyResult moved;
        return Transfer(txn, tree, inbox, target, UidSet(Uid{1}, protocol::kMaxUid), Sources::kRemove,
                        /*ahead=*/row.messages > kOneCommit, actor, moved, left);
      },
      AccountLanes::Sharing::kSolo);
  Leave(core.janitor, left, done.has_value());
  return done;
}

}  // namespace storage
