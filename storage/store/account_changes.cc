#include "storage/store/account_changes.h"

#include "storage/schema/rows.h"
#include "storage/store/core.h"
#include "storage/store/folder_tree.h"

namespace storage {

using kv::Table;

Result<AccountChanges> MailStore::ChangesSince(AccountId account, ModSeq since) {
  const auto view = core_->engine.OpenView();
  ASSIGN_OR_RETURN(const auto value, view->Get(Table::kAccounts, schema::AccountKey{account}.Encode()));
  if (!value) return Fail(Errc::kNoSuchAccount);
  ASSIGN_OR_RETURN(const auto row, schema::AccountRow::Decode(*value));
  // By the row, which says so when the news is out: whoever was woken by it would wait for ever otherwise.
  if (row.status == static_cast<std::uint8_t>(AccountStatus::kDeleting)) return Fail(Errc::kNoSuchAccount);

  AccountChanges out{.modseq = row.modseq, .reset = since > row.modseq};
  if (out.reset) since = {};
  if (since == row.modseq) return out;
  const auto marks = row.marks.value_or(schema::AccountRow::Marks{row.modseq, row.modseq});
  out.names = marks.names > since;
  out.annotations = marks.annotations > since;

  Result<> bad;
  const std::string prefix = schema::AccountPrefix(account);
  RETURN_IF_ERROR(view->Scan(Table::kFolders, prefix, kv::PrefixEnd(prefix),
                             [&](std::string_view key, std::string_view folder) {
                               const auto at = schema::FolderKey::Decode(key);
                               const auto decoded = schema::FolderRow::Decode(folder);
                               if (!at || !decoded) {
                                 bad = tl::unexpected<Error>(at ? decoded.error() : at.error());
                                 return false;
                               }
                               if (decoded->highest_modseq > since)
                                 out.folders.push_back(ToStatus({account, at->folder}, *decoded));
                               return true;
                             }));
  RETURN_IF_ERROR(bad);
  return out;
}

}  // namespace storage
