// Any octets: session info or a file transfer in either layout, or a fault.

#include "protocol/cpm/session_info.h"

#include <cstdint>
#include <string_view>

#include "protocol/cpm/file_transfer.h"
#include "tests/fuzz/round_trip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace protocol::cpm;
  using tests::RoundTrip;
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  RoundTrip(xml, ReadSessionXml, [](const SessionInfo& info) { return WriteSessionXml(info, Layout::k2x); });
  RoundTrip(xml, ReadFileTransferXml,
            [](const FileTransfer& transfer) { return WriteFileTransferXml(transfer, Layout::kV20); });
  return 0;
}
