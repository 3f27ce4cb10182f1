#include "storage/schema/seen_page.h"

#include <fmt/format.h>

#include "storage/schema/bytes.h"

namespace storage::schema {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::string SeenKey::Prefix(AccountId account, FolderId folder, AccountId viewer) {
  return Writer().U64(account.value).U64(folder.value).U64(viewer.value).Take();
}

std::string SeenKey::Encode() const { return Writer().Raw(Prefix(account, folder, viewer)).U32(page).Take(); }

Result<SeenKey> SeenKey::Decode(std::string_view key) {
  Reader in(key);
  const SeenKey out{{in.U64()}, {in.U64()}, {in.U64()}, in.U32()};
  if (!in.Done()) return Fail(Errc::kCorruption, "a key in seen does not decode");
  return out;
}

std::string SeenPage::Encode() const {
  Writer out;
  out.U8(kVersion);
  for (const std::uint64_t word : bits) out.U64(word);
  return out.Take();
}

Result<SeenPage> SeenPage::Decode(std::string_view value) {
  Reader in(value);
  const auto version = in.U8();
  if (version > kVersion) {
    return Fail(Errc::kCorruption, fmt::format("page in seen has version {}: it was written by a newer cmsd",
                                               static_cast<int>(version)));
  }
  SeenPage page;
  for (auto& word : page.bits) word = in.U64();
  if (version != kVersion || !in.Done()) return Fail(Errc::kCorruption, "a page in seen does not decode");
  return page;
}

}  // namespace storage::schema
