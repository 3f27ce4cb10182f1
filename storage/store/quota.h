#pragma once

#include <cstdint>

#include "storage/schema/quota_limits.h"
#include "storage/store/account.h"
#include "storage/store/account_txn.h"

namespace storage {

// The one place that says whether an account may hold as much: OK, or kOverQuota with a sentence. Asked
// before what adds something, of the account as it would be; what adds nothing is never refused.

Result<> CheckMessageQuota(const QuotaLimits& limits, std::uint64_t octets, std::uint64_t messages);
Result<> CheckMessageQuota(const schema::AccountRow& account);
Result<> CheckFolderQuota(const QuotaLimits& limits, std::uint64_t folders);
Result<> CheckAnnotationQuota(const QuotaLimits& limits, std::uint64_t octets);

}  // namespace storage
