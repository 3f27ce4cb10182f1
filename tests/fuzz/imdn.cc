// Any octets: an IMDN, or a fault.

#include "protocol/cpm/imdn.h"

#include <cstdint>
#include <string_view>

#include "tests/fuzz/round_trip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace protocol::cpm;
  using tests::RoundTrip;
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  RoundTrip(xml, ReadImdn, WriteImdn);
  return 0;
}
