#pragma once

#include "storage/schema/references.h"
#include "storage/store/folder.h"

namespace storage {

using schema::ReferenceAudience;

/// A reference that was issued. It ends with its message, its folder and its account, and a while after its
/// time, or after it was revoked or used up.
struct Reference : schema::ReferenceRow {
  AccountId account;
  std::uint64_t id = 0;  ///< in the account

  FolderRef folder_ref() const { return {account, folder}; }
};

/// For so long, in seconds, a reference is known that is of no more use: its issuer is told so.
inline constexpr std::int64_t kReferenceMemory = 24 * 60 * 60;
/// When its rows go.
inline std::int64_t ForgetAt(const schema::ReferenceRow& row) {
  return (row.over != 0 ? row.over : row.expires) + kReferenceMemory;
}
/// References that one call issues.
inline constexpr std::size_t kMaxReferencesAtOnce = 100;

}  // namespace storage
