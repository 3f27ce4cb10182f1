// Any octets: a group state, a file over HTTP, or a fault.

#include "protocol/cpm/group_state.h"

#include <cstdint>
#include <string_view>

#include "protocol/cpm/http_file.h"
#include "tests/fuzz/round_trip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace protocol::cpm;
  using tests::RoundTrip;
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  RoundTrip(xml, ReadGroupState, WriteGroupState);
  RoundTrip(xml, ReadHttpFile, WriteHttpFile);
  return 0;
}
