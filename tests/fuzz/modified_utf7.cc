#include "protocol/text/modified_utf7.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/text/base64.h"

/// What decodes has exactly one spelling; what is encoded decodes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace text = protocol::text;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  if (const auto name = text::FromModifiedUtf7(octets)) {
    if (text::ToModifiedUtf7(*name) != octets) std::abort();
  }
  if (!text::FromModifiedUtf7(text::ToModifiedUtf7(octets))) std::abort();
  if (const auto decoded = text::DecodeBase64(octets)) {
    if (text::EncodeBase64(*decoded) != octets) std::abort();
  }
  return 0;
}
