#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/cpm/classify.h"
#include "protocol/mime/inspect.h"
#include "storage/store/account_txn.h"
#include "storage/store/core.h"
#include "storage/store/folder_tree.h"
#include "storage/store/message.h"

namespace storage {

/// Messages on their way into a folder: all that can be known of them before they have a UID, then their
/// rows. APPEND and the recording call share it; nothing else makes a message of a staged body.
class Delivery {
 public:
  /// Reads and classifies every message; blocks, and belongs before the account's lane. kNotAllowed: an
  /// expiry that cannot be; an object that is malformed, where the profile is strict.
  static Result<Delivery> Prepare(MailStore::Core& core, std::vector<NewMessage> messages, Actor actor);

  /// All of them or none come into the folder, if the model lets them and the quota does.
  Result<AppendResult> Place(AccountTxn& txn, const FolderTree& tree, FolderId folder, Actor actor) const;

  /// A message in the folder that may be the first of them: of its IMDN-Message-ID and size.
  struct Alike {
    Uid uid;
    ObjectId object;
  };
  /// At most kMostAlike: each is a body to read.
  Result<std::vector<Alike>> FindAlike(const AccountTxn& txn, FolderId folder) const;
  static constexpr std::size_t kMostAlike = 4;
  /// Whether the object's octets are those of the first. Reads both, so it belongs outside of the lane.
  Result<bool> IsFirst(MailStore& store, MailStore::Core& core, AccountId account, ObjectId object) const;

  /// They are committed: the bodies belong to messages now.
  void Done();

 private:
  struct Prepared {
    protocol::mime::Inspection inspection;
    std::string parts;
    std::uint64_t octets = 0;  ///< as served: what counts for folder and quota
    std::string ids;
    protocol::cpm::Classified what;
    protocol::FlagSet flags;
    std::int64_t expiry = 0;
  };
  static Result<Prepared> Read(MailStore::Core& core, const NewMessage& message, Actor actor);
  /// The message's rows but its state.
  static Result<> PutRows(AccountTxn& txn, FolderId folder, Uid uid, const NewMessage& message,
                          const Prepared& prepared);

  std::vector<NewMessage> messages_;
  std::vector<Prepared> prepared_;
  std::uint64_t octets_ = 0;
};

}  // namespace storage
