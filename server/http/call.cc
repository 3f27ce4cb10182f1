#include "server/http/call.h"

#include <array>
#include <charconv>

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "server/http/error_map.h"
#include "server/http/url.h"

namespace server::http {

Call::Call(HttpStream& stream, beast::flat_buffer& buffer, Parser& parser, std::chrono::seconds limit)
    : stream_(stream), buffer_(buffer), parser_(parser), limit_(limit) {
  const std::string_view target = parser.get().target();
  const auto mark = target.find('?');
  path_ = target.substr(0, mark);
  if (mark != std::string_view::npos) query_ = target.substr(mark + 1);
}

const std::string& Call::Parameter(std::string_view name) const {
  static const std::string none;
  const auto found = parameters_.find(name);
  return found == parameters_.end() ? none : found->second;
}

std::optional<std::string> Call::Query(std::string_view name) const { return QueryValue(query_, name); }

std::vector<std::string> Call::QueryAll(std::string_view name) const { return QueryValues(query_, name); }

std::optional<std::uint64_t> Call::NumberQuery(std::string_view name, std::uint64_t fallback,
                                               std::uint64_t max) const {
  const auto text = Query(name);
  if (!text) return fallback;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value > max) return std::nullopt;
  return value;
}

asio::awaitable<std::optional<std::size_t>> Call::ReadSome(std::span<char> space) {
  if (parser_.is_done()) co_return 0;
  auto& body = parser_.get().body();
  body.data = space.data();
  body.size = space.size();
  body.more = true;
  stream_.expires_after(limit_);
  const auto [error, ignored] = co_await beast::http::async_read_some(stream_, buffer_, parser_, kAsTuple);
  const std::size_t got = space.size() - body.size;
  body.data = nullptr;
  body.size = 0;
  if (error && error != beast::http::error::need_buffer) {
    intact_ = false;
    co_return std::nullopt;
  }
  if (got == 0 && !parser_.is_done()) {
    // Framing of a chunk, no octets of the body yet.
    auto next = co_await ReadSome(space);
    co_return next;
  }
  co_return got;
}

asio::awaitable<std::optional<std::string>> Call::ReadAll(std::size_t limit) {
  std::string all;
  std::array<char, 8192> space;
  for (;;) {
    const auto got = co_await ReadSome(space);
    if (!got) co_return std::nullopt;
    if (*got == 0) co_return all;
    all.append(space.data(), *got);
    if (all.size() > limit) {
      Refusal refusal{Status::payload_too_large, "too_big", "The request's body is too large"};
      co_await Fail(std::move(refusal));
      co_return std::nullopt;
    }
  }
}

asio::awaitable<std::optional<boost::json::object>> Call::ReadJson(std::size_t limit) {
  const auto text = co_await ReadAll(limit);
  if (!text) co_return std::nullopt;
  ErrorCode error;
  auto value = boost::json::parse(*text, error);
  if (!error && value.is_object()) co_return std::move(value.as_object());
  Refusal refusal{Status::bad_request, "not_json", "The request's body must be a JSON object"};
  co_await Fail(std::move(refusal));
  co_return std::nullopt;
}

asio::awaitable<void> Call::Send(Status status, std::string content_type, std::string body) {
  answered_ = true;
  status_ = static_cast<unsigned>(status);
  beast::http::response<beast::http::string_body> response(status, parser_.get().version());
  response.set(beast::http::field::server, "cmsd");
  response.set(beast::http::field::content_type, content_type);
  response.keep_alive(keep_alive());
  response.body() = std::move(body);
  response.prepare_payload();
  stream_.expires_after(limit_);
  const auto [error, ignored] = co_await beast::http::async_write(stream_, response, kAsTuple);
  if (error) intact_ = false;
}

asio::awaitable<void> Call::Reply(Status status, boost::json::value body) {
  auto text = boost::json::serialize(body);
  text += '\n';
  return Send(status, "application/json", std::move(text));
}

asio::awaitable<void> Call::ReplyText(std::string content_type, std::string body) {
  return Send(Status::ok, std::move(content_type), std::move(body));
}

asio::awaitable<void> Call::Fail(Refusal refusal) {
  boost::json::object error;
  error["code"] = refusal.code;
  error["message"] = refusal.message;
  boost::json::object body;
  body["error"] = std::move(error);
  return Reply(refusal.status, std::move(body));
}

asio::awaitable<void> Call::Fail(storage::Error error) { return Fail(RefusalFor(error)); }

asio::awaitable<bool> Call::StartStream(std::string content_type) {
  answered_ = true;
  status_ = 200;
  beast::http::response<beast::http::empty_body> response(Status::ok, parser_.get().version());
  response.set(beast::http::field::server, "cmsd");
  response.set(beast::http::field::content_type, content_type);
  response.keep_alive(keep_alive());
  response.chunked(true);
  beast::http::response_serializer<beast::http::empty_body> serializer(response);
  stream_.expires_after(limit_);
  const auto [error, ignored] = co_await beast::http::async_write_header(stream_, serializer, kAsTuple);
  intact_ = intact_ && !error;
  co_return !error;
}

asio::awaitable<bool> Call::Write(std::string_view octets) {
  if (octets.empty()) co_return intact_;
  stream_.expires_after(limit_);
  const auto chunk = beast::http::make_chunk(asio::buffer(octets.data(), octets.size()));
  const auto [error, ignored] = co_await asio::async_write(stream_, chunk, kAsTuple);
  intact_ = intact_ && !error;
  co_return !error;
}

asio::awaitable<bool> Call::EndStream() {
  stream_.expires_after(limit_);
  const auto last = beast::http::make_chunk_last();
  const auto [error, ignored] = co_await asio::async_write(stream_, last, kAsTuple);
  intact_ = intact_ && !error;
  co_return !error;
}

asio::awaitable<void> Call::Drain() {
  constexpr std::size_t kMaxDrain = 16 << 20;
  std::array<char, 16 * 1024> space;
  for (std::size_t total = 0; total < kMaxDrain;) {
    const auto got = co_await ReadSome(space);
    if (got.value_or(0) == 0) co_return;
    total += *got;
  }
}

}  // namespace server::http
