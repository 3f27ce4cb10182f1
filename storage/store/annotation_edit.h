#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store/account_txn.h"
#include "storage/store/mail_store.h"

namespace storage {

/// The annotations of one scope being changed within one transaction, with the counts of the scope and of the
/// account kept in step. The only code that writes `annotations`, but for the janitor, who erases.
class AnnotationEdit {
 public:
  /// `folder` zero: the server's scope.
  static Result<AnnotationEdit> Load(AccountTxn& txn, FolderId folder);

  /// True if that changed something. `name` is as it is to be shown; nullopt removes.
  Result<bool> Set(std::string_view name, AccountId viewer, const std::optional<std::string>& value);
  /// All of `from`'s, for all viewers; of a folder without annotations.
  Result<> CopyFrom(FolderId from);

  /// Writes the counts. kTooManyAnnotations if they grew over what `options` allow, kOverQuota if over what
  /// the account may hold.
  Result<> Save(const StoreOptions& options);
  /// The same without a limit: for what the server itself keeps, which is little.
  void Save();

 private:
  AnnotationEdit(AccountTxn& txn, FolderId folder) : txn_(&txn), folder_(folder) {}
  void Count(std::uint64_t added_octets, std::uint64_t removed_octets, int entries);

  AccountTxn* txn_;
  FolderId folder_;
  schema::AnnotationUseRow scope_;
  schema::AnnotationUseRow account_;
  schema::AnnotationUseRow scope_before_;
  schema::AnnotationUseRow account_before_;
};

/// The entries that the server itself keeps on a folder: "SessionInfo" and "GroupState" (the object's UID in
/// decimal), "Participants". (annotation_rules.h)
enum class ServerAnnotation { kSessionInfo, kGroupState, kParticipants };

/// Sets or removes (nullopt) one within a transaction that changes the folder; told to every session. Costs
/// one point read where there is none and none is to be.
Result<> SetServerAnnotation(AccountTxn& txn, FolderId folder, ServerAnnotation name,
                             const std::optional<std::string>& value);

/// The value of one, as the transaction sees it.
Result<std::optional<std::string>> GetServerAnnotation(const AccountTxn& txn, FolderId folder,
                                                       ServerAnnotation name);

/// What all of an account's add up to.
Result<schema::AnnotationUseRow> UseOfAnnotations(const kv::View& view, AccountId account);

/// Its annotations count no more; the janitor erases them with the folder's other rows.
Result<> ForgetAnnotations(AccountTxn& txn, FolderId folder);

/// RFC 5464 §4.1: renaming INBOX leaves a copy of its annotations on both. kTooManyAnnotations, kOverQuota.
Result<> CopyAnnotations(AccountTxn& txn, FolderId from, FolderId to, const StoreOptions& options);

}  // namespace storage
