// Any text: no address, or one that is its own canonical form.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/cpm/address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& address : {protocol::cpm::Canonical(text), protocol::cpm::ParseLogin(text)}) {
    if (!address) continue;
    if (address->size() > 255 || protocol::cpm::Canonical(*address) != address) std::abort();
  }
  if (const auto peer = protocol::cpm::ParsePeer(text)) {
    if (peer->size() > 255 || protocol::cpm::Canonical(*peer) != *peer) std::abort();
  }
  return 0;
}
