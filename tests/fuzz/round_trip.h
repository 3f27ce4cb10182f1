#pragma once

#include <cstdlib>
#include <string_view>

namespace tests {

/// What is read, and can be written, reads the same again.
template <class Read, class Write>
void RoundTrip(std::string_view octets, Read read, Write write) {
  const auto value = read(octets);
  if (!value) return;
  const auto written = write(*value);
  if (!written) return;
  if (read(*written) != value) std::abort();
}

}  // namespace tests
