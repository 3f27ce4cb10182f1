#include "protocol/text/saslprep.h"

#include <memory>
#include <stdexcept>
#include <vector>

#include <unicode/unistr.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

namespace protocol::text {
namespace {

const UStringPrepProfile* Profile() {
  static const std::unique_ptr<UStringPrepProfile, decltype(&usprep_close)> kProfile(
      [] {
        UErrorCode status = U_ZERO_ERROR;
        UStringPrepProfile* profile = usprep_openByType(USPREP_RFC4013_SASLPREP, &status);
        if (U_FAILURE(status)) throw std::runtime_error("ICU has no SASLprep data");
        return profile;
      }(),
      usprep_close);
  return kProfile.get();
}

/// Unlike icu::UnicodeString::fromUTF8(), which replaces what is malformed.
std::optional<std::vector<UChar>> FromUtf8(std::string_view utf8) {
  std::vector<UChar> out(utf8.size() + 1);  // never more units than octets
  std::int32_t size = 0;
  UErrorCode status = U_ZERO_ERROR;
  u_strFromUTF8(out.data(), static_cast<std::int32_t>(out.size()), &size, utf8.data(),
                static_cast<std::int32_t>(utf8.size()), &status);
  if (U_FAILURE(status)) return std::nullopt;
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace

std::optional<std::string> SaslPrep(std::string_view utf8) {
  constexpr std::size_t kLargestExpansion = 18;  // NFKC of U+FDFA
  const auto source = FromUtf8(utf8);
  if (!source) return std::nullopt;
  std::vector<UChar> prepared(source->size() * kLargestExpansion + 1);
  UErrorCode status = U_ZERO_ERROR;
  UParseError where{};
  const auto size =
      usprep_prepare(Profile(), source->data(), static_cast<std::int32_t>(source->size()), prepared.data(),
                     static_cast<std::int32_t>(prepared.size()), USPREP_ALLOW_UNASSIGNED, &where, &status);
  if (U_FAILURE(status)) return std::nullopt;
  std::string out;
  icu::UnicodeString(prepared.data(), size).toUTF8String(out);
  return out;
}

}  // namespace protocol::text
