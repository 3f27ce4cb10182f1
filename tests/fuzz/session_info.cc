// Any octets: session info or a file transfer in either layout, or a fault.

#include "protocol/cpm/session_info.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/cpm/file_transfer.h"

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
  RoundTrip(xml, ReadSessionXml, [](const SessionInfo& info) { return WriteSessionXml(info, Layout::k2x); });
  RoundTrip(xml, ReadFileTransferXml,
            [](const FileTransfer& transfer) { return WriteFileTransferXml(transfer, Layout::kV20); });
  return 0;
}
