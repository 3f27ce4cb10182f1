#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocol/imap/parse/parser.h"

/// Any octets parse or fail within their bounds, and the answer does not depend on anything else.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto parsed = protocol::ParseCommand(octets);
  if (!parsed) {
    if (parsed.error().error.offset > size) std::abort();
    if (protocol::Describe(parsed.error().error).empty()) std::abort();
    return 0;
  }
  const auto again = protocol::ParseCommand(octets);
  if (!again || !(*again == *parsed)) std::abort();
  return 0;
}
