// Any octets: SCRAM's two messages of a client, in both mechanisms. None may log in: nobody knows the keys.

#include "protocol/sasl/scram.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace protocol::sasl;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line = input.find('\n');
  const auto first = input.substr(0, line);
  const auto last = line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
  for (const bool plus : {false, true}) {
    ScramExchange exchange(ScramHash::kSha256, plus,
                           {.tls_exporter = "exporter", .tls_server_end_point = "hash"}, false);
    if (!exchange.ReadFirst(first)) continue;
    exchange.Challenge({std::string(16, 's'), 4096, std::string(32, 'c'), std::string(32, 'k')}, "nonce");
    if (exchange.ReadFinal(last)) std::abort();
  }
  if (const auto keys = ReadScramKeys(ScramHash::kSha256, input))
    if (WriteScramKeys(ScramHash::kSha256, *keys) != input) {
      // Another spelling of the number ("04096") is read, and written in the usual one.
      if (ReadScramKeys(ScramHash::kSha256, WriteScramKeys(ScramHash::kSha256, *keys)) != keys) std::abort();
    }
  return 0;
}
