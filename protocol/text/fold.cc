#include "protocol/text/fold.h"

#include <algorithm>
#include <stdexcept>

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/utf8.h>

#include "protocol/model/ascii.h"
#include "protocol/text/charset.h"

namespace protocol::text {
namespace {

const icu::Normalizer2& CaseFolder() {
  static const icu::Normalizer2* const kFolder = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* folder = icu::Normalizer2::getNFKCCasefoldInstance(status);
    if (U_FAILURE(status)) throw std::runtime_error("ICU has no NFKC_Casefold data");
    return folder;
  }();
  return *kFolder;
}

bool IsAscii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

void AppendLower(std::string_view ascii_text, std::string& out) {
  const std::size_t begin = out.size();
  out += ascii_text;
  for (std::size_t i = begin; i < out.size(); ++i) out[i] = ascii::ToLower(out[i]);
}

/// Well-formed UTF-8 in, well-formed UTF-8 out.
void AppendUnicode(std::string_view utf8, std::string& out) {
  UErrorCode status = U_ZERO_ERROR;
  icu::StringByteSink<std::string> sink(&out);
  CaseFolder().normalizeUTF8(0, icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())), sink,
                             nullptr, status);
}

std::string Replaced(std::string_view malformed) {
  std::string out;
  const auto* octets = reinterpret_cast<const std::uint8_t*>(malformed.data());
  const auto size = static_cast<std::int32_t>(malformed.size());
  for (std::int32_t i = 0; i < size;) {
    const std::int32_t begin = i;
    UChar32 c = 0;
    U8_NEXT(octets, i, size, c);
    if (c < 0) {
      out += "\xEF\xBF\xBD";
    } else {
      out += malformed.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(i - begin));
    }
  }
  return out;
}

}  // namespace

void AppendFolded(std::string_view utf8, std::string& out) {
  if (IsAscii(utf8)) return AppendLower(utf8, out);
  // Line by line: most lines of most mail are ASCII, and a line feed never combines with its neighbours.
  while (!utf8.empty()) {
    constexpr std::size_t kMostAtOnce = 1U << 20U;  // ICU counts in 32 bits
    std::size_t end = utf8.find('\n');
    end = std::min({end == std::string_view::npos ? utf8.size() : end + 1, utf8.size(), kMostAtOnce});
    while (end < utf8.size() && end > kMostAtOnce - 4 && U8_IS_TRAIL(utf8[end])) --end;
    const std::string_view line = utf8.substr(0, end);
    utf8.remove_prefix(end);
    if (IsAscii(line)) {
      AppendLower(line, out);
    } else if (IsValidUtf8(line)) {
      AppendUnicode(line, out);
    } else {
      AppendUnicode(Replaced(line), out);
    }
  }
}

std::string Fold(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  AppendFolded(utf8, out);
  return out;
}

}  // namespace protocol::text
