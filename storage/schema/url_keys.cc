#include "storage/schema/url_keys.h"

#include <fmt/format.h>

#include "storage/schema/bytes.h"

namespace storage::schema {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::string UrlKeyRow::Encode() const {
  Writer out;
  out.U8(kVersion).Raw(key).Varint(former_paths.size());
  for (const auto& path : former_paths) out.String(path);
  return out.Take();
}

Result<UrlKeyRow> UrlKeyRow::Decode(std::string_view value) {
  Reader in(value);
  const auto version = in.U8();
  if (version > kVersion) {
    return Fail(Errc::kCorruption, fmt::format("URL key row has version {}: it was written by a newer cmsd",
                                               static_cast<int>(version)));
  }
  UrlKeyRow row;
  row.key = in.Raw(kUrlKeyOctets);
  const std::uint64_t count = in.Varint();
  if (version != kVersion || count > kFormerPaths) in.Fault();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) row.former_paths.emplace_back(in.String());
  if (!in.Done()) return Fail(Errc::kCorruption, "URL key row does not decode");
  return row;
}

std::string FormerPathKey::Prefix(AccountId account, std::string_view path) {
  return Writer().U64(account.value).U64(0).Raw(path).U8(0).Take();
}

std::string FormerPathKey::Encode() const {
  return Writer().Raw(Prefix(account, path)).U64(folder.value).Take();
}

Result<FormerPathKey> FormerPathKey::Decode(std::string_view key) {
  constexpr std::size_t kHead = 8 + 8;
  constexpr std::size_t kTail = 1 + 8;
  if (key.size() < kHead + kTail) return Fail(Errc::kCorruption, "former path key is too short");
  Reader in(key);
  FormerPathKey out;
  out.account = {in.U64()};
  if (in.U64() != 0) in.Fault();
  out.path = in.Raw(key.size() - kHead - kTail);
  if (in.U8() != 0 || out.path.find('\0') != std::string::npos) in.Fault();
  out.folder = {in.U64()};
  if (!in.Done()) return Fail(Errc::kCorruption, "former path key does not decode");
  return out;
}

}  // namespace storage::schema
