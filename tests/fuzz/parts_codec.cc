// Any row: refused, or a tree that says the same after another round and can be walked.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/mime/parts.h"
#include "protocol/mime/section.h"

using namespace protocol::mime;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view row(reinterpret_cast<const char*>(data), size);
  const auto served = DecodeServed(row);
  const auto parts = DecodeParts(row);
  if (!parts) return 0;
  const auto again = DecodeParts(EncodeParts(*parts, NulOf(row)));
  if (!again || *again != *parts) std::abort();
  if (served && *served) {
    const auto served_again = DecodeServed(EncodeParts(*parts, **served));
    if (!served_again || *served_again != *served) std::abort();
  }
  for (std::uint32_t a = 1; a < 4; ++a) {
    for (std::uint32_t b = 1; b < 4; ++b) {
      const auto extent = Locate(*parts, {.part = {a, b}});
      if (extent && extent->offset + extent->length > parts->front().body_end) std::abort();
    }
  }
  return 0;
}
