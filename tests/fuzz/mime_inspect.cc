// Any octets: inspection ends, keeps its limits, and what it finds is sound enough to locate and decode every
// part.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/mime/inspect.h"
#include "protocol/mime/section.h"
#include "protocol/text/charset.h"

using namespace protocol::mime;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void DecodeAll(Source& source, const Part& part) {
  auto decoder = Decoder::Open(source, part);
  if (!decoder) return;
  std::array<char, 512> buffer;
  std::uint64_t size = 0;
  for (;;) {
    const auto got = decoder->Read(buffer);
    Require(got.has_value());
    if (*got == 0) break;
    size += *got;
  }
  Require(DecodedSize(source, part) == size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  MemorySource source(octets);
  const InspectLimits limits{.max_depth = 8,
                             .max_parts = 50,
                             .max_header = 4096,
                             .max_search_header = 2048,
                             .max_search_text = 4096};
  const auto found = Inspect(source, limits);
  Require(found.has_value());
  Require(found->search_text.size() <= limits.max_search_text);
  Require(found->search_header.size() <= limits.max_search_header);
  Require(protocol::text::IsValidUtf8(found->search_text));
  Require(protocol::text::IsValidUtf8(found->search_header));
  Require(found->parts.size() <= limits.max_parts + 1);
  Require(found->has_nul == (octets.find('\0') != std::string_view::npos));
  const auto decoded = DecodeParts(EncodeParts(found->parts));
  Require(decoded && *decoded == found->parts);
  for (const Part& part : found->parts) {
    if (part.kind == PartKind::kLeaf) DecodeAll(source, part);
  }
  return 0;
}
