#include "protocol/text/casemap.h"

#include <cstdint>
#include <stdexcept>

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include "protocol/model/ascii.h"

namespace protocol::text {
namespace {

const icu::Normalizer2& Decomposer() {
  static const icu::Normalizer2* const kDecomposer = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* decomposer = icu::Normalizer2::getNFKDInstance(status);
    if (U_FAILURE(status)) throw std::runtime_error("ICU has no NFKD data");
    return decomposer;
  }();
  return *kDecomposer;
}

/// False: `utf8` is malformed.
bool Titlecase(std::string_view utf8, icu::UnicodeString& out) {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(utf8.data());
  const auto size = static_cast<std::int32_t>(utf8.size());
  for (std::int32_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT(octets, i, size, c);
    if (c < 0) return false;
    out.append(u_totitle(c));
  }
  return true;
}

}  // namespace

std::string UnicodeCasemap(std::string_view utf8) {
  std::string out(utf8);
  unsigned char all = 0;
  for (char& c : out) {
    all |= static_cast<unsigned char>(c);
    c = ascii::ToUpper(c);
  }
  if (all < 0x80) return out;

  icu::UnicodeString titled;
  if (!Titlecase(utf8, titled)) return std::string(utf8);
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString decomposed = Decomposer().normalize(titled, status);
  if (U_FAILURE(status)) return std::string(utf8);
  out.clear();
  decomposed.toUTF8String(out);
  return out;
}

}  // namespace protocol::text
