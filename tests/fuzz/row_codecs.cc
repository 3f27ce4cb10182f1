#include "tests/support/row_codecs.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// The first octet selects a codec, the rest is what the disk might hold. Whatever decodes must encode to what
// decodes to the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return -1;
  const auto& codecs = tests::RowCodecs();
  const auto& codec = codecs[data[0] % codecs.size()];
  const auto once = codec.recode({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (!once) return 0;
  const auto twice = codec.recode(*once);
  if (!twice || *twice != *once) std::abort();
  return 0;
}
