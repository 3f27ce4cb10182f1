#include <algorithm>

#include "protocol/mime/fields.h"
#include "protocol/mime/header_block.h"
#include "protocol/model/ascii.h"
#include "server/references/desk.h"

namespace server::references {
namespace {

namespace ascii = protocol::ascii;

constexpr std::uint64_t kMaxHeader = 64 * 1024;
constexpr std::size_t kMaxValue = 500;
constexpr std::string_view kOctets = "application/octet-stream";

bool IsPrintable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; });
}

// token of RFC 2045 §5.1
bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < '\x7f' && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
  });
}

/// As it stands in the header, on one line; empty if it is not harmless.
std::string Harmless(std::string_view raw) {
  auto value = protocol::mime::Unfold(raw);
  return value.size() <= kMaxValue && IsPrintable(value) ? value : std::string();
}

std::string MediaType(std::string_view type) {
  const auto value = protocol::mime::ParseStructuredValue(type);
  if (!IsToken(value.type) || !IsToken(value.subtype)) return std::string(kOctets);
  return ascii::Lower(value.type + "/" + value.subtype);
}

}  // namespace

ContentHead HeadOf(PartReader& part, const protocol::Section& section) {
  using Kind = protocol::Section::Kind;
  ContentHead out;
  if (section.kind != Kind::kAll) {
    out.type = section.kind == Kind::kText ? std::string(kOctets) : std::string("text/rfc822-headers");
    out.media_type = out.type;
    return out;
  }
  if (section.part.empty()) {
    out.type = out.media_type = "message/rfc822";
    return out;
  }
  const auto header = part.HeaderOf(kMaxHeader).value_or(std::string());
  const auto fields = protocol::mime::FindMimeFields(header);
  out.type = fields.type.data() == nullptr ? std::string("text/plain") : Harmless(fields.type);
  out.media_type = MediaType(out.type);
  if (out.media_type == kOctets) out.type = out.media_type;
  out.id = Harmless(fields.id);
  out.disposition = Harmless(fields.disposition);
  out.description = Harmless(fields.description);
  out.name = part.Head().name;
  std::erase_if(out.name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
  return out;
}

}  // namespace server::references
