// Any body, in pieces of any size: the same parts as in one piece, and no more held than the limit.

#include "server/http/multipart.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using server::http::MultipartReader;

/// What comes out until it ends, fails or wants more than there is.
std::string Read(std::string_view body, std::size_t piece) {
  MultipartReader reader("b");
  std::string out;
  for (;;) {
    switch (reader.Next()) {
      case MultipartReader::Step::kPart:
        out += "\n[" + reader.head().name + "|" + reader.head().content_type + "]";
        break;
      case MultipartReader::Step::kOctets:
        if (reader.octets().empty()) std::abort();
        out += reader.octets();
        break;
      case MultipartReader::Step::kPartEnd: out += "\n[end]"; break;
      case MultipartReader::Step::kEnd: return out + "\n[last]";
      case MultipartReader::Step::kBad: return out + "\n[bad]";
      case MultipartReader::Step::kNeedMore:
        if (body.empty()) return out + "\n[more]";
        reader.Feed(body.substr(0, piece));
        body.remove_prefix(std::min(piece, body.size()));
        break;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (Read(body, data[0] % 32 + 1) != Read(body, body.size() + 1)) std::abort();
  static_cast<void>(server::http::BoundaryOf(body));
  return 0;
}
