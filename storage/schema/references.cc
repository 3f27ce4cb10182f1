#include "storage/schema/references.h"

#include <fmt/format.h>

#include "storage/schema/bytes.h"

namespace storage::schema {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kVersionWithoutOver = 1;
constexpr std::uint8_t kOneTime = 1;

Result<> CheckVersion(std::uint8_t version) {
  if (version <= kVersion) return {};
  return Fail(Errc::kCorruption,
              fmt::format("reference row has version {}: it was written by a newer cmsd", version));
}

void WritePartial(Writer& out, const ReferenceRow& row) {
  if (!row.offset) {
    out.U8(0);
  } else if (!row.count) {
    out.U8(1).Varint(*row.offset);
  } else {
    out.U8(2).Varint(*row.offset).Varint(*row.count);
  }
}

std::uint32_t ReadU32(Reader& in) {
  const std::uint64_t value = in.Varint();
  if (value > 0xffffffffULL) in.Fault();
  return static_cast<std::uint32_t>(value);
}

void ReadPartial(Reader& in, ReferenceRow& row) {
  const auto form = in.U8();
  if (form > 2) in.Fault();
  if (form >= 1) row.offset = ReadU32(in);
  if (form == 2) row.count = ReadU32(in);
}

}  // namespace

std::string ReferenceKey::Prefix(AccountId account) { return Writer().U64(account.value).U64(0).Take(); }

std::string ReferenceKey::Encode() const { return Writer().Raw(Prefix(account)).U64(id).Take(); }

Result<ReferenceKey> ReferenceKey::Decode(std::string_view key) {
  Reader in(key);
  ReferenceKey out;
  out.account = {in.U64()};
  if (in.U64() != 0) in.Fault();
  out.id = in.U64();
  if (!in.Done()) return Fail(Errc::kCorruption, "reference key does not decode");
  return out;
}

std::string MessageReferenceKey::Prefix(AccountId account, FolderId folder, Uid uid) {
  return MessageKey{account, folder, uid}.Encode();
}

std::string MessageReferenceKey::Encode() const {
  return Writer().Raw(Prefix(account, folder, uid)).U64(id).Take();
}

Result<MessageReferenceKey> MessageReferenceKey::Decode(std::string_view key) {
  Reader in(key);
  const MessageReferenceKey out{{in.U64()}, {in.U64()}, {in.U32()}, in.U64()};
  if (!in.Done() || out.folder.value == 0)
    return Fail(Errc::kCorruption, "reference key of a message does not decode");
  return out;
}

std::string ReferencesUseRow::Encode() const {
  Writer out;
  out.U8(over == 0 ? kVersionWithoutOver : kVersion).Varint(last_id).Varint(count);
  if (over != 0) out.Varint(over);
  return out.Take();
}

Result<ReferencesUseRow> ReferencesUseRow::Decode(std::string_view value) {
  Reader in(value);
  const auto version = in.U8();
  RETURN_IF_ERROR(CheckVersion(version));
  ReferencesUseRow row{in.Varint(), in.Varint()};
  if (version == kVersion) row.over = in.Varint();
  if (version < kVersionWithoutOver || !in.Done())
    return Fail(Errc::kCorruption, "row of an account's references does not decode");
  return row;
}

std::string ReferenceRow::Encode() const {
  Writer out;
  out.U8(over == 0 ? kVersionWithoutOver : kVersion).U64(folder.value).U32(uid.value).String(section);
  WritePartial(out, *this);
  out.U64(issuer.value).U8(static_cast<std::uint8_t>(kind)).String(audience).U8(one_time ? kOneTime : 0);
  out.Signed(created).Signed(expires).Signed(revoked).Varint(fetches).Signed(last_fetch);
  out.Varint(part_size).Raw(key_check);
  if (over != 0) out.Signed(over);
  return out.Take();
}

Result<ReferenceRow> ReferenceRow::Decode(std::string_view value) {
  Reader in(value);
  const auto version = in.U8();
  RETURN_IF_ERROR(CheckVersion(version));
  ReferenceRow row;
  row.folder = {in.U64()};
  row.uid = {in.U32()};
  row.section = in.String();
  ReadPartial(in, row);
  row.issuer = {in.U64()};
  row.kind = static_cast<ReferenceAudience>(in.U8());
  row.audience = in.String();
  const auto flags = in.U8();
  row.one_time = flags == kOneTime;
  row.created = in.Signed();
  row.expires = in.Signed();
  row.revoked = in.Signed();
  row.fetches = in.Varint();
  row.last_fetch = in.Signed();
  row.part_size = in.Varint();
  row.key_check = in.Raw(kKeyCheckOctets);
  if (version == kVersion) row.over = in.Signed();
  if (version < kVersionWithoutOver || row.kind > ReferenceAudience::kAnyone || flags > kOneTime) in.Fault();
  if (!in.Done()) return Fail(Errc::kCorruption, "reference row does not decode");
  return row;
}

}  // namespace storage::schema
