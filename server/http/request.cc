#include "server/http/request.h"

#include <algorithm>
#include <array>

#include <spdlog/spdlog.h>

namespace server::http {
namespace {

/// RFC 9112 §5.2: a line that continues the field before it. Beast takes a field and its lines in one piece.
bool IsFolded(std::string_view header) {
  return header.find("\n ") != std::string_view::npos || header.find("\n\t") != std::string_view::npos;
}

/// Who is still sending would otherwise not get to see the answer.
asio::awaitable<void> Linger(HttpWire& wire) {
  constexpr std::size_t kMost = 256 * 1024;
  constexpr std::chrono::seconds kLongest{2};
  std::array<char, 16 * 1024> space;
  const auto end = std::chrono::steady_clock::now() + kLongest;
  for (std::size_t total = 0; total < kMost && std::chrono::steady_clock::now() < end;) {
    const auto got = co_await wire.ReadSome(space, kLongest);
    if (got == 0) co_return;
    total += got;
  }
}

}  // namespace

std::string_view AmbiguityOf(const Call::Parser::value_type& request) {
  using Field = beast::http::field;
  if (request.count(Field::host) != 1) return "there must be one Host field";
  // Beast takes "4, 4" for 4, which RFC 9112 §6.3 allows and others read otherwise.
  const std::string_view length = request[Field::content_length];
  if (request.count(Field::content_length) > 1 || length.find_first_not_of("0123456789") != length.npos)
    return "there must be one Content-Length, a number";
  const auto codings = request.count(Field::transfer_encoding);
  if (codings > 0 && request.count(Field::content_length) > 0)
    return "Content-Length and Transfer-Encoding exclude each other";
  if (codings > 1 || (codings == 1 && !beast::iequals(request[Field::transfer_encoding], "chunked")))
    return "the one transfer coding that is taken is chunked";
  if (codings == 1 && request.version() < 11) return "HTTP/1.0 has no transfer codings";
  if (!request.target().starts_with('/')) return "the target must be a path";
  const auto odd = [](char c) { return c <= ' ' || c >= 0x7f; };
  if (std::ranges::any_of(std::string_view(request.target()), odd))
    return "the target must be printable ASCII";
  return {};
}

asio::awaitable<ErrorCode> ReadHead(HttpWire& wire, beast::flat_buffer& buffer, Call::Parser& parser,
                                    const HttpOptions& options, std::chrono::seconds idle) {
  parser.header_limit(static_cast<std::uint32_t>(options.header_limit));
  parser.body_limit(boost::none);  // each resource knows its own
  std::optional<std::chrono::steady_clock::time_point> end;
  std::size_t octets = 0;
  bool folded = false;
  for (;;) {
    ErrorCode error;
    if (buffer.size() > 0) {
      const auto got = buffer.data();
      const std::size_t used = parser.put(got, error);
      folded = folded || IsFolded({static_cast<const char*>(got.data()), used});
      octets += used;
      buffer.consume(used);
      // Beast's own limit is for what is missing of the field that it is at.
      if (octets > options.header_limit || (!parser.is_header_done() && buffer.size() > options.header_limit))
        co_return beast::http::error::header_limit;
      if (parser.is_header_done()) {
        if (folded) error = beast::http::error::bad_field;
        co_return error;
      }
      if (error && error != beast::http::error::need_more) co_return error;
      // One octet now and then does not keep a header alive.
      if (!end) end = std::chrono::steady_clock::now() + options.request_limit;
    }
    std::chrono::milliseconds limit = idle;
    if (end)
      limit = std::chrono::duration_cast<std::chrono::milliseconds>(*end - std::chrono::steady_clock::now());
    if (limit.count() <= 0) co_return beast::http::error::end_of_stream;
    const bool more = co_await Fill(wire, buffer, limit);
    if (!more) co_return beast::http::error::end_of_stream;
  }
}

asio::awaitable<bool> Answer(HttpWire& wire, beast::flat_buffer& buffer, Call::Parser& parser,
                             ErrorCode error, Services& services, Face face) {
  if (error == beast::http::error::end_of_stream) co_return false;
  Call call(wire, buffer, parser, face.options.request_limit);
  call.visitor = face.visitor;
  if (error) {
    call.BeLast();
    Refusal refusal{Status::bad_request, "bad_request", error.message()};
    co_await call.Fail(std::move(refusal));
    if (error == beast::http::error::header_limit) co_await Linger(wire);
    co_return false;
  }
  if (face.visitor != nullptr) {
    if (const auto fault = AmbiguityOf(parser.get()); !fault.empty()) {
      call.BeLast();
      Refusal refusal{Status::bad_request, "bad_request", std::string(fault)};
      co_await call.Fail(std::move(refusal));
      co_return false;
    }
  }
  co_await Dispatch(call, services, face.caller);
  const bool more = call.keep_alive();
  if (!more) co_await call.Drain();
  if (face.caller != Caller::kMonitor)
    spdlog::info("event=http method={} path={} status={}", std::string_view(parser.get().method_string()),
                 call.logged_path(), call.status());
  co_return more;
}

}  // namespace server::http
