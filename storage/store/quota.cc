#include "storage/store/quota.h"

#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace storage {
namespace {

Result<> Check(std::string_view what, std::uint64_t would_have, const std::optional<std::uint64_t>& limit) {
  if (!limit || would_have <= *limit) return {};
  return Fail(Errc::kOverQuota,
              fmt::format("the account may hold {} {} and would have {}", *limit, what, would_have));
}

}  // namespace

Result<> CheckMessageQuota(const QuotaLimits& limits, std::uint64_t octets, std::uint64_t messages) {
  RETURN_IF_ERROR(Check("octets", octets, limits.octets));
  return Check("messages", messages, limits.messages);
}

Result<> CheckMessageQuota(const schema::AccountRow& account) {
  return CheckMessageQuota(account.quota, account.used_octets, account.used_messages);
}

Result<> CheckFolderQuota(const QuotaLimits& limits, std::uint64_t folders) {
  return Check("mailboxes", folders, limits.folders);
}

Result<> CheckAnnotationQuota(const QuotaLimits& limits, std::uint64_t octets) {
  return Check("octets of METADATA entries", octets, limits.annotation_octets);
}

}  // namespace storage
