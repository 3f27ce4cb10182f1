// Any text that is a JSON object: an event, or a refusal that says why.

#include "server/http/event_json.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <boost/json.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  boost::system::error_code error;
  const auto json = boost::json::parse({reinterpret_cast<const char*>(data), size}, error);
  if (error || !json.is_object()) return 0;
  const auto read = server::http::ReadEvent(json.get_object());
  if (const auto* request = std::get_if<server::http::EventRequest>(&read)) {
    const auto awaited = std::count(request->awaits_file.begin(), request->awaits_file.end(), true);
    if (request->files() != static_cast<std::size_t>(awaited)) std::abort();
  } else if (std::get<server::http::Refusal>(read).message.empty()) {
    std::abort();
  }
  return 0;
}
