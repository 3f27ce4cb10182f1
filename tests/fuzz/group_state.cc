// Any octets: a group state, a file over HTTP, or a fault.

#include "protocol/cpm/group_state.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/cpm/http_file.h"

namespace {

/// What is read, and can be written, reads the same again.
template <class Read, class Write>
void RoundTrip(std::string_view octets, Read read, Write write) {
  const auto value = read(octets);
  if (!value) return;
  const auto written = write(*value);
  if (!written) return;
  if (read(*written) != value) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace protocol::cpm;
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  RoundTrip(xml, ReadGroupState, WriteGroupState);
  RoundTrip(xml, ReadHttpFile, WriteHttpFile);
  return 0;
}
