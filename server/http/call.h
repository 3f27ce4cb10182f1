#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/value.hpp>

#include "server/http/byte_budget.h"
#include "server/http/http_wire.h"
#include "server/net/asio.h"
#include "server/net/transfer_pace.h"
#include "storage/error.h"

namespace server::http {

struct Visitor;

using Status = boost::beast::http::status;
using Verb = boost::beast::http::verb;

/// A request that a resource refuses: what becomes of it.
struct Refusal {
  Status status;
  std::string code;     ///< stable, for programs: "no_such_account"
  std::string message;  ///< a sentence, for people
};

/// Adds what comes next to `buffer`; false: the connection is over.
asio::awaitable<bool> Fill(HttpWire& wire, beast::flat_buffer& buffer, std::chrono::milliseconds limit);

/// One request and its answer. A resource reads what it wants of the body and answers once: Reply(), Fail(),
/// or StartStream() ... EndStream(). All functions that return false mean that the connection is of no more
/// use and the resource should return.
///
/// Lifetime   one request, in its connection's frame.
/// Thread     the connection's.
class Call {
 public:
  using Parser = beast::http::request_parser<beast::http::buffer_body>;

  Call(HttpWire& wire, beast::flat_buffer& buffer, Parser& parser, std::chrono::seconds limit);

  /// Who calls on the face where callers prove who they are (visitor.h); nullptr on the others.
  Visitor* visitor = nullptr;

  Verb verb() const { return parser_.get().method(); }
  /// Without the query, still percent-encoded.
  std::string_view path() const { return path_; }
  /// "{address}" of the route's pattern, decoded; empty if the pattern has none of this name.
  const std::string& Parameter(std::string_view name) const;
  /// `query`: as of FaultOfQuery() (url.h).
  void SetRoute(std::string_view pattern, std::string_view query,
                std::map<std::string, std::string, std::less<>> parameters) {
    pattern_ = pattern;
    known_query_ = query;
    parameters_ = std::move(parameters);
  }
  /// For the log: a visitor's has secrets in it, so it is the route's pattern.
  std::string_view logged_path() const { return visitor == nullptr ? path_ : pattern_; }
  /// Octets of the body, if the request says how many.
  std::optional<std::uint64_t> announced() const;
  /// Of the request; empty if it has none.
  std::string_view content_type() const { return parser_.get()[beast::http::field::content_type]; }
  /// What is wrong with the query as a whole, for its caller; empty: nothing. Asked before the resource runs
  /// (route_table.cc), of a visitor once it is known who that is (visitor.cc).
  std::string FaultOfQuery() const;
  /// "?name=value", decoded; nullopt if absent.
  std::optional<std::string> Query(std::string_view name) const;
  /// Of each "name=value", in their order.
  std::vector<std::string> QueryAll(std::string_view name) const;
  /// `fallback` if absent, nullopt if it is no number from 0 to `max`.
  std::optional<std::uint64_t> NumberQuery(std::string_view name, std::uint64_t fallback,
                                           std::uint64_t max) const;

  /// Reads up to `space.size()` octets of the body; 0 at its end; nullopt: the connection is of no more use,
  /// also if the caller sends too little (net::Pace).
  asio::awaitable<std::optional<std::size_t>> ReadSome(std::span<char> space);
  /// The whole body. nullopt: it is over `limit` (then that has been answered), or the connection is of no
  /// more use.
  asio::awaitable<std::optional<std::string>> ReadAll(std::size_t limit);
  /// The same within what `share` may hold: before it is read, and as much as is read. 503: no room for it.
  asio::awaitable<std::optional<std::string>> ReadAll(std::size_t limit, ByteBudget::Share& share);
  /// The whole body as a JSON object; nullopt as for ReadAll(), also if it is none.
  asio::awaitable<std::optional<boost::json::object>> ReadJson();
  asio::awaitable<std::optional<boost::json::object>> ReadJson(ByteBudget::Share& share);

  /// Beside what every answer has; for the answer that follows.
  void AddHeader(std::string name, std::string value);
  asio::awaitable<void> Reply(Status status, boost::json::value body);
  asio::awaitable<void> ReplyText(std::string content_type, std::string body);
  asio::awaitable<void> Fail(Refusal refusal);
  asio::awaitable<void> Fail(storage::Error error);
  /// 503: more is held in memory for others than this can be added to.
  asio::awaitable<void> FailForRoom();

  /// An answer whose end is not known yet: sent as it comes.
  asio::awaitable<bool> StartStream(std::string content_type);
  asio::awaitable<bool> Write(std::string_view octets);
  asio::awaitable<bool> EndStream();
  /// An answer of `length` octets: sent as it comes, as often by Send() as it takes. To HEAD the header is
  /// all.
  asio::awaitable<bool> StartBody(Status status, std::string content_type, std::uint64_t length);
  asio::awaitable<bool> SendBody(std::string_view octets);
  /// The same of what lies in several places. `pieces` is used up.
  asio::awaitable<bool> SendBody(std::span<std::string_view> pieces);
  /// 304: no body, and no word of how long one would be (RFC 9110 §8.6).
  asio::awaitable<void> SayNotModified();

  /// The caller asks for a WebSocket (RFC 6455 §4.1), and has not yet sent anything more.
  bool WantsSocket() const;
  /// From now on the connection is the resource's, which speaks another protocol on stream() and returns when
  /// that is over. `status`: what it answers, for the log.
  void TakeOver(Status status);
  /// REQUIRES: no visitor. The operator's and the monitoring's connections are such streams.
  HttpStream& stream() { return static_cast<BeastWire&>(wire_).stream(); }
  const Parser::value_type& request() const { return parser_.get(); }

  /// Reads what is left of the body, up to a bound of octets and of time, and forgets it: a caller who is
  /// still sending would otherwise not get to see the answer.
  asio::awaitable<void> Drain();

  /// True if another request may follow on this connection.
  bool keep_alive() const {
    return answered_ && intact_ && !last_ && body_left_ == 0 && parser_.is_done() &&
           parser_.get().keep_alive();
  }
  bool answered() const { return answered_; }
  /// No other request may follow.
  void BeLast() { last_ = true; }
  /// Of the answer, for the log; 0 before.
  unsigned status() const { return status_; }

 private:
  using Head = beast::http::response<beast::http::empty_body>;
  asio::awaitable<void> Send(Status status, std::string content_type, std::string body);
  Head Begin(Status status, std::string_view content_type);
  asio::awaitable<bool> WriteHead(const Head& head, std::string_view and_then = {});
  asio::awaitable<bool> WriteOctets(std::string_view octets);
  asio::awaitable<bool> WriteOctets(std::span<std::string_view> pieces);
  asio::awaitable<bool> FillBody();
  asio::awaitable<void> FailForSize();
  asio::awaitable<std::optional<boost::json::object>> ParseJson(const std::string& text);

  HttpWire& wire_;
  beast::flat_buffer& buffer_;
  Parser& parser_;
  const std::chrono::seconds limit_;
  std::string path_;
  std::string_view pattern_ = "-";
  std::string query_;
  std::string_view known_query_;
  std::vector<std::pair<std::string, std::string>> headers_;
  /// Of the body, on a clock that stands still but while we wait for the caller.
  net::TransferDeadline pace_;
  net::TransferDeadline::TimePoint waited_;
  std::int64_t got_ = 0;
  std::optional<net::TransferDeadline::TimePoint> drained_by_;  ///< on the same clock
  std::string chunk_;                                           ///< one on its way
  std::uint64_t body_left_ = 0;                                 ///< of StartBody()
  bool expects_continue_ = false;
  std::map<std::string, std::string, std::less<>> parameters_;
  bool answered_ = false;
  bool intact_ = true;
  bool last_ = false;
  unsigned status_ = 0;
};

}  // namespace server::http
