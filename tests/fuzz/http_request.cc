// What a caller of the reference service sends, in pieces of the size that the first octet says: header,
// target, query, Range, and a body that is read to its end, as a request for references.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>

#include "server/http/byte_range.h"
#include "server/http/reference_data.h"
#include "server/http/reference_json.h"
#include "server/http/request.h"
#include "server/http/url.h"

namespace http = server::http;

namespace {

class MemoryWire final : public http::HttpWire {
 public:
  MemoryWire(std::string_view octets, std::size_t piece) : octets_(octets), piece_(piece) {}
  server::asio::awaitable<std::size_t> ReadSome(std::span<char> space, std::chrono::milliseconds) override {
    const auto some = octets_.substr(0, std::min(piece_, space.size()));
    std::ranges::copy(some, space.begin());
    octets_.remove_prefix(some.size());
    co_return some.size();
  }
  server::asio::awaitable<bool> Write(std::span<std::string_view>, bool) override { co_return true; }

 private:
  std::string_view octets_;
  const std::size_t piece_;
};

void LookAt(const http::Call& call) {
  constexpr std::uint64_t kSize = 1000;
  const auto& request = call.request();
  const auto range = http::ReadRange(request[http::beast::http::field::range], kSize);
  if (const auto* octets = std::get_if<http::ByteRange>(&range))
    if (octets->length == 0 || octets->first >= kSize || octets->length > kSize - octets->first) std::abort();
  static_cast<void>(
      http::NamesEtag(request[http::beast::http::field::if_none_match], "\"a\"", http::Comparison::kWeak));
  static_cast<void>(http::FaultOfQuery(std::string_view(request.target()), "a b"));
  static_cast<void>(call.NumberQuery("after", 0, 100));
  for (const auto* name : {"account", "folder", "parts", "expires", "audience"})
    if (const auto value = call.Query(name)) {
      http::ReferenceTerms terms;
      static_cast<void>(http::ReadAudience(*value, terms));
      static_cast<void>(http::ReadExpires(*value));
      const auto said = http::ContentDisposition(*value);
      if (said.find_first_of(std::string_view("\r\n\0/\\", 5)) != std::string::npos) std::abort();
    }
  for (const auto& route : http::kRoutes) static_cast<void>(http::MatchPath(route.pattern, call.path()));
}

server::asio::awaitable<void> Serve(std::string_view octets, std::size_t piece) {
  MemoryWire wire(octets, piece);
  http::beast::flat_buffer buffer;
  http::Call::Parser parser;
  const http::HttpOptions options;
  const auto error = co_await http::ReadHead(wire, buffer, parser, options, options.keep_alive);
  if (error || !http::AmbiguityOf(parser.get()).empty()) co_return;
  http::Call call(wire, buffer, parser, options.request_limit);
  LookAt(call);
  const auto json = co_await call.ReadJson();
  if (!json) co_return;
  const auto read = http::ReadReferences(*json);
  if (const auto* refusal = std::get_if<http::Refusal>(&read))
    if (refusal->message.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return -1;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  server::asio::io_context context(1);
  server::asio::co_spawn(context, Serve(octets, 1 + data[0]), [](const std::exception_ptr& failure) {
    if (failure) std::abort();
  });
  context.run();
  return 0;
}
