#include "protocol/cpm/part_head.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "protocol/cpm/body.h"
#include "protocol/cpm/limits.h"
#include "protocol/mime/fields.h"
#include "protocol/mime/header_block.h"
#include "protocol/mime/words.h"
#include "protocol/model/ascii.h"
#include "protocol/text/charset.h"

namespace protocol::cpm {
namespace {

/// RFC 2231 §4: "utf-8''%E2%82%AC" decoded.
std::string DecodeExtended(std::string_view value) {
  const auto first = value.find('\'');
  const auto second = first == std::string_view::npos ? first : value.find('\'', first + 1);
  if (second == std::string_view::npos) return ReadUtf8(value);
  const auto charset = value.substr(0, first);
  std::string octets;
  for (std::size_t i = second + 1; i < value.size(); ++i) {
    const auto hex = [&](std::size_t at) {
      const char c = at < value.size() ? value[at] : 'x';
      return c >= '0' && c <= '9'   ? c - '0'
             : c >= 'A' && c <= 'F' ? c - 'A' + 10
             : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                    : -1;
    };
    if (value[i] == '%' && hex(i + 1) >= 0 && hex(i + 2) >= 0) {
      octets += static_cast<char>(hex(i + 1) * 16 + hex(i + 2));
      i += 2;
    } else {
      octets += value[i];
    }
  }
  return text::ToUtf8(octets, charset).value_or(ReadUtf8(octets));
}

std::optional<std::string> NameIn(const mime::StructuredValue& value, const char* parameter) {
  if (const auto* extended = value.Find(std::string(parameter) + "*")) return DecodeExtended(*extended);
  if (const auto* plain = value.Find(parameter)) return mime::DecodeWords(*plain);
  return std::nullopt;
}

}  // namespace

PartHead ReadPartHead(const mime::Parts& parts, mime::Source& source, std::size_t index) {
  const auto& part = parts[index];
  const auto most = index == 0 ? kMaxViewHeader : kMaxPartHeader;
  const auto header = ReadOctets(source, part.header_begin,
                                 std::min<std::uint64_t>(part.body_begin, part.header_begin + most));
  const auto fields = mime::FindMimeFields(header ? std::string_view(*header) : std::string_view());
  PartHead out;
  out.type = mime::ContentType(fields, false);
  out.media_type = ascii::Lower(ReadUtf8(out.type.type + "/" + out.type.subtype));
  const auto disposition = mime::ParseStructuredValue(mime::Unfold(fields.disposition));
  out.disposition = ascii::Lower(disposition.type);
  out.name = NameIn(disposition, "filename").value_or(NameIn(out.type, "name").value_or(std::string()));
  CutUtf8(out.name, kMaxFileName);
  out.description = mime::DecodeWords(mime::Unfold(fields.description));
  CutUtf8(out.description, kMaxHeaderValue);
  return out;
}

void CutUtf8(std::string& utf8, std::size_t most) {
  if (utf8.size() <= most) return;
  while (most > 0 && (static_cast<unsigned char>(utf8[most]) & 0xC0U) == 0x80U) --most;
  utf8.resize(most);
}

std::string ReadUtf8(std::string_view octets) {
  return text::ToUtf8(octets, "utf-8").value_or(std::string());
}

}  // namespace protocol::cpm
