#include "storage/schema/psk_row.h"

#include "storage/schema/bytes.h"

namespace storage::schema {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::string PskRow::Encode() const {
  return Writer().U8(kVersion).Varint(account.value).Signed(created).String(key).Take();
}

Result<PskRow> PskRow::Decode(std::string_view value) {
  Reader in(value);
  const bool known = in.U8() == kVersion;
  PskRow row;
  row.account = {in.Varint()};
  row.created = in.Signed();
  row.key = in.String();
  // What it holds is a secret, and so no part of the text.
  if (!known || !in.Done())
    return Fail(Errc::kCorruption,
                "a pre-shared key (table meta) does not decode: restore the store from a backup");
  return row;
}

}  // namespace storage::schema
