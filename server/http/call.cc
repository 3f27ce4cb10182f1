#include "server/http/call.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "server/http/error_map.h"
#include "server/http/url.h"
#include "server/http/visitor.h"

namespace server::http {
namespace {

constexpr std::size_t kMaxFraming = 64 * 1024;
constexpr std::size_t kJsonLimit = 1 << 20;
/// "0" CRLF CRLF: with less of it, Beast's parser asserts. Nothing shorter ends a chunked body.
constexpr std::size_t kLastChunk = 5;

}  // namespace

asio::awaitable<bool> Fill(HttpWire& wire, beast::flat_buffer& buffer, std::chrono::milliseconds limit) {
  constexpr std::size_t kSpace = 16 * 1024;
  const auto space = buffer.prepare(kSpace);
  const auto got = co_await wire.ReadSome(std::span(static_cast<char*>(space.data()), space.size()), limit);
  buffer.commit(got);
  co_return got > 0;
}

Call::Call(HttpWire& wire, beast::flat_buffer& buffer, Parser& parser, std::chrono::seconds limit)
    : wire_(wire),
      buffer_(buffer),
      parser_(parser),
      limit_(limit),
      pace_(net::Pace{.stall = limit}),
      expects_continue_(beast::iequals(parser.get()[beast::http::field::expect], "100-continue") &&
                        parser.get().version() > 10) {
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

std::optional<std::uint64_t> Call::announced() const {
  const auto length = parser_.content_length();
  return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

std::string Call::FaultOfQuery() const { return http::FaultOfQuery(query_, known_query_); }

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
  if (std::exchange(expects_continue_, false) && !answered_ && !parser_.is_done() && buffer_.size() == 0) {
    const bool told = co_await WriteOctets("HTTP/1.1 100 Continue\r\n\r\n");
    if (!told) co_return std::nullopt;
  }
  auto& body = parser_.get().body();
  body.data = space.data();
  body.size = space.size();
  body.more = true;
  std::size_t got = 0;
  while (intact_ && got == 0 && !parser_.is_done()) {
    ErrorCode error;
    const bool enough = buffer_.size() >= (parser_.chunked() ? kLastChunk : 1);
    const std::size_t used = enough ? parser_.put(buffer_.data(), error) : 0;
    buffer_.consume(used);
    got = space.size() - body.size;
    if (error == beast::http::error::need_more || error == beast::http::error::need_buffer) error = {};
    if (error) intact_ = false;
    // A chunk's line without an end.
    if (buffer_.size() > kMaxFraming) intact_ = false;
    if (got > 0 || !intact_ || parser_.is_done()) break;
    if (used > 0) continue;  // framing of a chunk
    intact_ = co_await FillBody();
  }
  body.data = nullptr;
  body.size = 0;
  if (!intact_) co_return std::nullopt;
  co_return got;
}

asio::awaitable<bool> Call::FillBody() {
  using std::chrono::steady_clock;
  auto until = pace_.Next(waited_, got_);
  if (drained_by_) until = std::min(until, *drained_by_);
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(until - waited_);
  if (limit.count() <= 0) co_return false;
  const std::size_t had = buffer_.size();
  const auto begin = steady_clock::now();
  const bool more = co_await Fill(wire_, buffer_, limit);
  waited_ += steady_clock::now() - begin;
  got_ += static_cast<std::int64_t>(buffer_.size() - had);
  co_return more;
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
      co_await FailForSize();
      co_return std::nullopt;
    }
  }
}

asio::awaitable<std::optional<std::string>> Call::ReadAll(std::size_t limit, ByteBudget::Share& share) {
  std::string all;
  std::array<char, 8192> space;
  const auto announced = parser_.content_length();
  if (announced && *announced > limit) {
    co_await FailForSize();
    co_return std::nullopt;
  }
  if (announced) limit = static_cast<std::size_t>(*announced);
  for (;;) {
    // What is full is doubled, up to the limit: all that is read behind that is that nothing follows.
    if (all.size() == all.capacity() || all.empty()) {
      const auto more = std::min(std::max(2 * all.size(), space.size()), limit);
      if (!share.Hold(more)) {
        co_await FailForRoom();
        co_return std::nullopt;
      }
      all.reserve(more);
    }
    const auto room =
        all.size() < limit ? std::min({space.size(), all.capacity() - all.size(), limit - all.size()}) : 1;
    const auto got = co_await ReadSome(std::span(space).first(room));
    if (!got) co_return std::nullopt;
    if (*got == 0) co_return all;
    if (all.size() == limit) {
      co_await FailForSize();
      co_return std::nullopt;
    }
    all.append(space.data(), *got);
  }
}

asio::awaitable<std::optional<boost::json::object>> Call::ReadJson() {
  const auto text = co_await ReadAll(kJsonLimit);
  if (!text) co_return std::nullopt;
  co_return co_await ParseJson(*text);
}

asio::awaitable<std::optional<boost::json::object>> Call::ReadJson(ByteBudget::Share& share) {
  const auto text = co_await ReadAll(kJsonLimit, share);
  if (!text) co_return std::nullopt;
  co_return co_await ParseJson(*text);
}

asio::awaitable<std::optional<boost::json::object>> Call::ParseJson(const std::string& text) {
  ErrorCode error;
  auto value = boost::json::parse(text, error);
  if (!error && value.is_object()) co_return std::move(value.as_object());
  Refusal refusal{Status::bad_request, "not_json", "The request's body must be a JSON object"};
  co_await Fail(std::move(refusal));
  co_return std::nullopt;
}

void Call::AddHeader(std::string name, std::string value) {
  headers_.emplace_back(std::move(name), std::move(value));
}

Call::Head Call::Begin(Status status, std::string_view content_type) {
  answered_ = true;
  status_ = static_cast<unsigned>(status);
  const bool refuses =
      status == Status::unauthorized || (visitor != nullptr && !visitor->proved && status_ >= 400);
  if (visitor != nullptr && refuses && ++visitor->refusals >= visitor->most_refusals) BeLast();
  Head head(status, parser_.get().version());
  head.set(beast::http::field::server, "cmsd");
  if (!content_type.empty()) head.set(beast::http::field::content_type, content_type);
  for (const auto& [name, value] : headers_) head.set(name, value);
  head.keep_alive(keep_alive());
  return head;
}

asio::awaitable<bool> Call::WriteOctets(std::string_view octets) {
  const bool written = co_await WriteOctets(std::span(&octets, 1));
  co_return written;
}

asio::awaitable<bool> Call::WriteOctets(std::span<std::string_view> pieces) {
  const bool written = co_await wire_.Write(pieces, /*more=*/body_left_ > 0);
  intact_ = intact_ && written;
  co_return written;
}

asio::awaitable<bool> Call::WriteHead(const Head& head, std::string_view and_then) {
  std::ostringstream text;
  text << head.base() << and_then;
  const std::string octets = std::move(text).str();
  const bool written = co_await WriteOctets(octets);
  co_return written;
}

asio::awaitable<void> Call::Send(Status status, std::string content_type, std::string body) {
  auto head = Begin(status, content_type);
  head.content_length(body.size());
  if (verb() == Verb::head) body.clear();
  [[maybe_unused]] const bool written = co_await WriteHead(head, body);
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

asio::awaitable<void> Call::FailForSize() {
  return Fail(Refusal{Status::payload_too_large, "too_big", "The request's body is too large"});
}

asio::awaitable<void> Call::FailForRoom() {
  AddHeader("Retry-After", "5");
  return Fail(Refusal{Status::service_unavailable, "busy", "Too much is being worked on: try again later"});
}

asio::awaitable<void> Call::Fail(storage::Error error) { return Fail(RefusalFor(error)); }

asio::awaitable<bool> Call::StartStream(std::string content_type) {
  auto head = Begin(Status::ok, content_type);
  head.chunked(true);
  const bool written = co_await WriteHead(head);
  co_return written;
}

asio::awaitable<bool> Call::Write(std::string_view octets) {
  if (octets.empty()) co_return intact_;
  chunk_ = fmt::format("{:x}\r\n", octets.size());
  chunk_ += octets;
  chunk_ += "\r\n";
  const bool written = co_await WriteOctets(chunk_);
  co_return written;
}

asio::awaitable<bool> Call::EndStream() {
  const bool written = co_await WriteOctets("0\r\n\r\n");
  co_return written;
}

asio::awaitable<bool> Call::StartBody(Status status, std::string content_type, std::uint64_t length) {
  auto head = Begin(status, content_type);
  head.content_length(length);
  body_left_ = verb() == Verb::head ? 0 : length;
  const bool written = co_await WriteHead(head);
  co_return written;
}

asio::awaitable<bool> Call::SendBody(std::string_view octets) {
  const bool written = co_await SendBody(std::span(&octets, 1));
  co_return written;
}

asio::awaitable<bool> Call::SendBody(std::span<std::string_view> pieces) {
  for (const auto piece : pieces) body_left_ -= std::min<std::uint64_t>(body_left_, piece.size());
  const bool written = co_await WriteOctets(pieces);
  co_return written;
}

asio::awaitable<void> Call::SayNotModified() {
  const auto head = Begin(Status::not_modified, {});
  [[maybe_unused]] const bool written = co_await WriteHead(head);
}

bool Call::WantsSocket() const { return beast::websocket::is_upgrade(parser_.get()) && buffer_.size() == 0; }

void Call::TakeOver(Status status) {
  answered_ = true;
  intact_ = false;
  status_ = static_cast<unsigned>(status);
}

asio::awaitable<void> Call::Drain() {
  if (!intact_) co_return;
  constexpr std::size_t kMaxDrain = 16 << 20;
  drained_by_ = waited_ + limit_;
  std::array<char, 16 * 1024> space;
  for (std::size_t total = 0; total < kMaxDrain;) {
    const auto got = co_await ReadSome(space);
    if (got.value_or(0) == 0) co_return;
    total += *got;
  }
}

}  // namespace server::http
