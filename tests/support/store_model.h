#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/store_access.h"

// What a MailStore should hold, said as simply as possible, and how to see what it does hold.

namespace tests {

using storage::Errc;

struct MessageSeen {
  std::set<std::string> flags;  ///< in lower case
  std::uint64_t modseq = 0;
  std::int64_t internal_date = 0;
  std::int64_t save_date = 0;
  std::uint64_t size = 0;
  std::size_t hash = 0;  ///< of the octets
  friend bool operator==(const MessageSeen&, const MessageSeen&) = default;
};

struct FolderSeen {
  bool selectable = true;
  storage::FolderKind kind = storage::FolderKind::kUser;
  protocol::SpecialUse use = protocol::SpecialUse::kNone;
  std::uint32_t uid_validity = 0;
  std::uint32_t uid_next = 1;
  std::uint64_t highest_modseq = 0;
  std::uint32_t recent = 0;
  std::vector<std::string> keywords;
  std::map<std::string, std::string> annotations;  ///< by name in lower case; without what the store keeps
  std::map<std::uint32_t, MessageSeen> messages;
};

/// Everything of one account that can be read.
struct AccountSeen {
  std::map<std::string, FolderSeen> folders;
  std::set<std::string> subscriptions;
  std::uint64_t used_octets = 0;
  std::uint64_t used_messages = 0;
  std::uint64_t used_annotation_octets = 0;
  std::uint64_t modseq = 0;
};

/// Reads an account through every read there is, and throws where two of them disagree.
AccountSeen See(storage::MailStore& store, storage::AccountId account);

enum class Precision {
  kExact,
  kAfterFaults,  ///< UIDNEXT and the account's modseq may have skipped some, \Recent may be back
};
/// In words; empty if there is none.
std::string Difference(const AccountSeen& expected, const AccountSeen& actual, Precision precision);

/// One command, with all that it names.
struct StoreOp {
  enum class Kind {
    kCreate,
    kDelete,
    kRename,
    kSubscribe,
    kUnsubscribe,
    kAppend,
    kFlags,
    kExpunge,
    kCopy,
    kMove,
    kClaimRecent,
    kAccess,
    kAnnotate,
    kSetQuota,
    kAdvance,
    kDrain,
    kReopen,
  };
  Kind kind = Kind::kDrain;
  std::string path = "INBOX";
  std::string other;         ///< RENAME's and COPY's target
  std::uint32_t count = 1;   ///< messages to append; seconds to advance
  std::uint32_t size = 100;  ///< of each
  std::uint32_t first = 1;   ///< UIDs
  std::uint32_t last = 0xffffffff;
  std::int64_t expiry = 0;  ///< seconds from now until the messages to append expire; 0: never
  storage::QuotaLimits limits;
  protocol::FlagChange::Op op = protocol::FlagChange::Op::kAdd;
  std::vector<std::string> flags;
  protocol::SpecialUse use = protocol::SpecialUse::kNone;
  std::string entry = "/private/comment";
  std::optional<std::string> value;  ///< of the entry; nullopt removes it
  storage::Role role = storage::Role::kUser;
};
std::ostream& operator<<(std::ostream& out, const StoreOp& op);

/// One account of a naive store; `default_folder` as the store's profile has it.
class StoreModel {
 public:
  StoreModel(std::int64_t now, std::uint64_t modseq, const std::string& default_folder);

  std::optional<Errc> Apply(const StoreOp& op);
  AccountSeen Seen() const;

  std::int64_t now = 0;
  std::uint32_t seed = 0;  ///< of the next message

 private:
  struct Folder {
    FolderSeen seen;
    std::uint32_t recent_from = 1;
    bool peer = false;  ///< a conversation with one peer
    /// When messages with `$Deferred` expire. Those of messages that are permanent by now wait for their
    /// time.
    std::map<std::uint32_t, std::int64_t> due;
  };
  std::optional<Errc> Create(const StoreOp& op);
  std::optional<Errc> Delete(const std::string& path);
  std::optional<Errc> Rename(const StoreOp& op);
  std::optional<Errc> Append(const StoreOp& op);
  std::optional<Errc> ChangeFlags(const StoreOp& op);
  std::optional<Errc> Expunge(const StoreOp& op);
  std::optional<Errc> Copy(const StoreOp& op);
  std::optional<Errc> ClaimRecent(const std::string& path);
  std::optional<Errc> Access(const StoreOp& op);
  std::optional<Errc> Annotate(const StoreOp& op);

  Folder* Find(const std::string& path);  ///< nullptr also for \Noselect names
  std::uint64_t AnnotationOctets() const;
  bool OverQuota(std::uint64_t octets, std::uint64_t messages) const;  ///< with so many more
  /// What forbids that the name's missing superiors be made, and a folder of that name.
  std::optional<Errc> MayMake(const std::string& path, bool itself) const;
  bool HasInferiors(const std::string& path) const;
  /// What a name is, or would be made as; nullopt: nothing can be made there.
  std::optional<storage::FolderKind> KindOf(const std::string& path) const;
  std::optional<Errc> MayRename(const StoreOp& op) const;
  bool TakesUserFolders(const std::string& superior) const;
  void Drop(const Folder& folder);
  /// Those of the folder in this range stay for good, by the change under way.
  void Keep(Folder& folder, std::uint32_t first, std::uint32_t last);
  /// All that is due goes.
  void Reap();
  bool ReapSome();
  void Make(const std::string& path, protocol::SpecialUse use);
  void MakeSuperiors(const std::string& path);
  void Prune(std::string path);
  static std::string Keyword(Folder& folder, const std::string& name);

  std::map<std::string, Folder> folders_;
  std::set<std::string> subscriptions_;
  std::uint32_t next_uid_validity_ = 0;
  std::uint64_t used_octets_ = 0;
  std::uint64_t used_messages_ = 0;
  std::uint64_t modseq_ = 0;  ///< of the change under way: counted on before it is made
  storage::QuotaLimits limits_;
};

/// Does to a store what is done to a model, and looks whether both answer alike and the feed tells the truth.
///
/// Lifetime: the store outlives it, or Detach() was called.
class StorePlayer : private storage::ChangeListener {
 public:
  /// `advance` moves the store's clock.
  StorePlayer(storage::MailStore& store, storage::AccountId account, std::int64_t now,
              std::function<void(std::chrono::seconds)> advance = {});

  /// nullopt: done, as the model. kUnavailable: refused by a fault, and the model left as it was. Any other
  /// error is the one that the model gave too. Throws where they differ.
  std::optional<Errc> Play(const StoreOp& op);

  void Detach();
  void Attach(storage::MailStore& store);
  /// See() against the model, and the feed's picture against both; empty if all agree.
  std::string Compare(Precision precision);

  StoreModel& model() { return model_; }
  storage::AccountId account() const { return account_; }

 private:
  void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override {
    changes_.push_back(change);
  }
  std::optional<Errc> Do(const StoreOp& op);
  std::optional<Errc> Append(const StoreOp& op);
  std::optional<Errc> CopyOrMove(const StoreOp& op, storage::FolderRef folder);
  void TakeNews(StoreOp::Kind kind);

  storage::MailStore* store_;
  storage::AccountId account_;
  std::function<void(std::chrono::seconds)> advance_;
  StoreModel model_;
  storage::ChangeFeed::Subscription subscription_;
  std::vector<std::shared_ptr<const storage::Change>> changes_;
  std::uint64_t origin_ = 0;

  struct Heard {
    std::string path;
    storage::UidSet uids;
  };
  std::map<std::uint64_t, Heard> heard_;  ///< what somebody who only listens to the feed would know
  std::set<std::string> heard_subscriptions_;
  std::uint64_t heard_modseq_ = 0;
};

}  // namespace tests
