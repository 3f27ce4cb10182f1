#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/check/fsck.h"
#include "storage/schema/rows.h"

namespace storage::check {

/// Verifies one account: reads its rows table by table, and compares each table with what the ones before it
/// said.
///
/// Lifetime: one call of Run(). The view outlives it.
class AccountCheck {
 public:
  AccountCheck(const kv::View& view, schema::AccountId account, const FsckOptions& options,
               std::uint64_t next_object, bool kinds, FsckReport& report)
      : view_(view),
        account_(account),
        options_(options),
        next_object_(next_object),
        kinds_(kinds),
        report_(report) {}

  /// An error only if the engine cannot be read.
  Result<> Run();

 private:
  struct Folder {
    schema::FolderRow row;
    bool named = false;
    protocol::UidSet present;
    protocol::UidSet rows;       ///< of messages, as far as they are present
    protocol::UidSet temporary;  ///< with $Deferred
    std::uint32_t messages = 0;
    std::uint32_t unseen = 0;
    std::uint32_t deleted = 0;
    std::uint64_t octets = 0;
    schema::ModSeq highest;
  };
  struct Object {
    std::uint64_t size = 0;
    std::uint64_t uses = 0;
    std::uint64_t refs = 1;
    std::uint64_t chunks = 0;
    std::uint64_t octets = 0;
    bool no_nul = false;  ///< a row says so
    bool text = false;
  };

  Result<> Intents();
  Result<> Folders();
  Result<> Names();
  void Kinds(const std::map<std::string, std::uint8_t>& names);
  Result<> States();
  void StatePageRow(const schema::StateKey& key, std::string_view value);
  Result<> Messages();
  void MessageRow(const schema::MessageKey& key, std::string_view value);
  Result<> Ids();
  Result<> BodyRefs();
  Result<> Bodies();
  Result<> Texts();
  Result<> Vanished();
  Result<> References();
  Result<> Expiries();
  void ExpiryRow(const schema::ExpiryKey& key, std::string_view value);
  Result<> Subscriptions();
  Result<> Annotations();
  Result<> Acls();
  /// Every identifier of a list has its row in `grants`, unless an intent is about to see to it.
  Result<> GrantsOf(schema::FolderId folder, const schema::AclRow& acl);
  bool Unsettled(schema::FolderId folder, std::string_view who) const;
  void AnnotationUse(const schema::AnnotationKey& key, std::string_view value);
  Result<> UrlKeys();
  Result<> Seen();
  void UrlKeyRow(const schema::FolderKey& key, std::string_view value);
  void Sums();

  /// Visits the account's rows in a table; a key that does not decode is a violation.
  template <class Key, class F>
  Result<> ForEach(kv::Table table, F&& visit);
  void Report(int invariant, std::string text);
  Folder* Find(schema::FolderId folder);
  bool BeingFreed(schema::FolderId folder, schema::Uid uid) const;

  const kv::View& view_;
  schema::AccountId account_;
  const FsckOptions& options_;
  std::uint64_t next_object_;
  bool kinds_;  ///< folders have been given their kinds (storage/store/upgrade.h)
  FsckReport& report_;
  std::size_t reported_ = 0;

  std::optional<schema::AccountRow> row_;
  std::map<std::uint64_t, Folder> folders_;
  std::unordered_map<std::uint64_t, Object> objects_;
  std::set<std::string> expected_ids_;
  std::set<std::string> possible_expiries_;   ///< of messages that have a row
  std::set<std::string> reference_expiries_;  ///< of references that are there
  std::set<std::uint64_t> staged_;
  std::set<std::uint64_t> dropped_folders_;
  std::map<std::uint64_t, schema::AnnotationUseRow> annotations_;       ///< by scope, as counted
  std::map<std::uint64_t, schema::AnnotationUseRow> annotations_said_;  ///< by scope, as the rows say
  std::vector<schema::PurgeRow> purges_;
  std::map<std::uint64_t, std::vector<std::string>>
      unsettled_;                       ///< by folder: whose grants are to be settled
  std::set<std::string> former_paths_;  ///< keys that should be there
};

}  // namespace storage::check
