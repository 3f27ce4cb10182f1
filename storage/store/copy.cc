#include "protocol/model/ascii.h"
#include "storage/store/core.h"
#include "storage/store/folder_edit.h"
#include "storage/store/folder_tree.h"
#include "storage/store/message_rows.h"

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
};

/// One COPY or MOVE inside its transaction.
class CopyOperation {
 public:
  CopyOperation(AccountTxn& txn, FolderEdit& source, FolderEdit& target, ModSeq modseq)
      : txn_(txn), source_(source), target_(target), modseq_(modseq) {}

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
          messages_[i].size = message.size;
          schema::StoredMessage copy = message;
          copy.save_date = txn_.now();
          AccountTxn& into = ahead ? *rows : txn_;
          RETURN_IF_ERROR(
              PutMessage(into, target_.id(), Uid{first.value + static_cast<std::uint32_t>(i)}, copy));
          RETURN_IF_ERROR(ShareObject(into, message.object));
          ++i;
          if (ahead && i % kOneCommit == 0) RETURN_IF_ERROR(flush());
          return {};
        }));
    if (i != messages_.size()) return Fail(Errc::kCorruption, "a message has no row");
    if (ahead) {
      RETURN_IF_ERROR(flush());
      txn_.Erase(Table::kIntents, intent.Encode());
    }
    return {};
  }

  Result<> Show(KeywordMap& keywords, CopyResult& out) {
    for (const auto& message : messages_) {
      ASSIGN_OR_RETURN(const std::uint64_t bits, keywords.Translate(message.state.keywords));
      ASSIGN_OR_RETURN(const Uid uid, target_.Add({message.state.system, bits, modseq_.value}, message.size));
      octets_ += message.size;
      out.source.Add(message.uid);
      out.target.Add(uid);
    }
    return {};
  }

  void HideSources() {
    for (const auto& message : messages_) source_.Remove(message.uid, message.size);
  }

  std::uint64_t octets() const { return octets_; }

 private:
  /// Whatever becomes of this operation, nobody else will get these UIDs or this modseq, so the intent may be
  /// carried out at any time.
  Result<> Reserve(AccountTxn& rows, const schema::IntentKey& intent, Uid first, Uid last) {
    schema::FolderRow folder = target_.row();
    folder.uid_next = Uid{last.value + 1};
    rows.PutFolder(target_.id(), folder);
    RETURN_IF_ERROR(rows.NextModSeq());
    rows.Put(Table::kIntents, intent.Encode(), schema::PurgeRow{target_.id(), UidSet(first, last)}.Encode());
    return {};
  }

  AccountTxn& txn_;
  FolderEdit& source_;
  FolderEdit& target_;
  ModSeq modseq_;
  std::vector<Moving> messages_;
  std::uint64_t octets_ = 0;
};

enum class Sources { kKeep, kRemove };

Result<CopyResult> CopyOrMove(MailStore::Core& core, FolderRef folder, const UidSet& uids,
                              std::string_view target_path, Sources sources, Origin origin) {
  CopyResult out;
  std::optional<schema::IntentKey> purge;   // of the sources, once they are gone
  std::optional<schema::IntentKey> staged;  // of rows written ahead
  const bool ahead = uids.size() > kOneCommit;
  const auto done = core.lanes.Run(
      folder.account,
      [&](AccountTxn& txn) -> Result<> {
        ASSIGN_OR_RETURN(const FolderId target_id,
                         FolderTree(txn, core.options.max_folders, origin).Resolve(target_path));
        ASSIGN_OR_RETURN(auto source, FolderEdit::Load(txn, folder.folder));
        std::optional<FolderEdit> other;
        if (target_id != folder.folder) {
          ASSIGN_OR_RETURN(other, FolderEdit::Load(txn, target_id));
        }
        FolderEdit& target = other ? *other : source;
        out.uid_validity = target.row().uid_validity;
        ASSIGN_OR_RETURN(auto account, txn.Account());
        const ModSeq modseq{account.modseq.value + 1};

        CopyOperation copy(txn, source, target, modseq);
        KeywordMap keywords(source.row().keywords, target);
        if (ahead) staged = schema::IntentKey{folder.account, schema::IntentKind::kPurge, modseq.value};
        RETURN_IF_ERROR(copy.WriteRows(uids, ahead));
        RETURN_IF_ERROR(copy.Show(keywords, out));
        if (out.target.empty()) {
          staged.reset();
          return {};
        }
        RETURN_IF_ERROR(txn.NextModSeq());
        if (sources == Sources::kKeep) {
          account.used_octets += copy.octets();
          account.used_messages += out.target.size();
          if ((account.quota_octets != 0 && account.used_octets > account.quota_octets) ||
              (account.quota_messages != 0 && account.used_messages > account.quota_messages)) {
            return Fail(Errc::kOverQuota);
          }
          txn.PutAccount(std::move(account));
        } else {
          copy.HideSources();
          purge = PutVanished(txn, folder.folder, out.source, modseq);
          source.Save(modseq);
        }
        target.Save(modseq);
        txn.Announce(origin, MessagesAdded{target_id, out.target});
        if (sources == Sources::kRemove) txn.Announce(origin, MessagesExpunged{folder.folder, out.source});
        return {};
      },
      ahead ? AccountLanes::Sharing::kSolo : AccountLanes::Sharing::kShared);
  if (!done) {
    if (staged) core.janitor.Add(*staged);
    return tl::unexpected<Error>(done.error());
  }
  if (purge) core.janitor.Add(*purge);
  return out;
}

}  // namespace

Result<CopyResult> MailStore::Copy(FolderRef folder, const UidSet& uids, std::string_view target,
                                   Origin origin) {
  return CopyOrMove(*core_, folder, uids, target, Sources::kKeep, origin);
}

Result<CopyResult> MailStore::Move(FolderRef folder, const UidSet& uids, std::string_view target,
                                   Origin origin) {
  return CopyOrMove(*core_, folder, uids, target, Sources::kRemove, origin);
}

}  // namespace storage
