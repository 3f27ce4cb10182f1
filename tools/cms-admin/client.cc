#include "tools/cms-admin/client.h"

#include <array>

#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "tools/cms-admin/command.h"

namespace admin {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::beast::error_code;

[[noreturn]] void Refused(unsigned status, const std::string& body) {
  error_code error;
  const auto json = boost::json::parse(body, error);
  if (!error && json.is_object())
    if (const auto* inner = json.get_object().if_contains("error"); inner && inner->is_object())
      if (const auto* message = inner->get_object().if_contains("message"); message && message->is_string())
        throw Failure(kRefused, std::string(message->get_string()));
  throw Failure(kRefused, fmt::format("cmsd answered {}", status));
}

http::request<http::string_body> Request(Verb verb, const std::string& target, const std::string& body) {
  http::request<http::string_body> request(verb, target, 11);
  request.set(http::field::host, "cmsd");
  request.body() = body;
  request.prepare_payload();
  return request;
}

}  // namespace

void Client::Connect() {
  socket_ = std::make_unique<Socket>(context_);
  buffer_.clear();
  error_code error;
  socket_->connect(asio::local::stream_protocol::endpoint(path_), error);
  if (error)
    throw Failure(kUnreachable,
                  fmt::format("cmsd cannot be reached at {}: {}. Is it running?", path_, error.message()));
}

bool Client::IsThere() {
  Socket probe(context_);
  error_code error;
  probe.connect(asio::local::stream_protocol::endpoint(path_), error);
  return !error;
}

void Client::Broken(const std::string& what) {
  throw Failure(kUnreachable, fmt::format("The connection to cmsd broke: {}", what));
}

std::string Client::ReadAnswer() {
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  error_code error;
  http::read(*socket_, buffer_, parser, error);
  if (error) Broken(error.message());
  auto& response = parser.get();
  if (!response.keep_alive()) socket_.reset();
  if (response.result_int() >= 300) Refused(response.result_int(), response.body());
  return std::move(response.body());
}

std::string Client::Ask(Verb verb, const std::string& target, const std::string& body) {
  if (!socket_) Connect();
  error_code error;
  http::write(*socket_, Request(verb, target, body), error);
  // cmsd may have refused before it had everything: its answer says why, better than the broken pipe.
  return ReadAnswer();
}

boost::json::object Client::AskJson(Verb verb, const std::string& target, const std::string& body) {
  error_code error;
  auto json = boost::json::parse(Ask(verb, target, body), error);
  if (error || !json.is_object()) Broken("the answer is no JSON object");
  return std::move(json.get_object());
}

boost::json::object Client::Upload(const std::string& target, const std::function<void(const Send&)>& produce,
                                   const std::string& content_type) {
  if (!socket_) Connect();
  http::request<http::empty_body> request(Verb::post, target, 11);
  request.set(http::field::host, "cmsd");
  if (!content_type.empty()) request.set(http::field::content_type, content_type);
  request.chunked(true);
  http::request_serializer<http::empty_body> serializer(request);
  error_code error;
  http::write_header(*socket_, serializer, error);
  const Send send = [&](std::string_view octets) {
    if (!error && !octets.empty())
      asio::write(*socket_, http::make_chunk(asio::buffer(octets.data(), octets.size())), error);
    return !error;
  };
  produce(send);
  if (!error) asio::write(*socket_, http::make_chunk_last(), error);
  error_code parse_error;
  auto json = boost::json::parse(ReadAnswer(), parse_error);
  if (parse_error || !json.is_object()) Broken("the answer is no JSON object");
  return std::move(json.get_object());
}

void Client::Listen(const std::string& target, const std::function<void(std::string_view)>& hear) {
  Connect();
  websocket::stream<Socket&> socket(*socket_);
  socket.read_message_max(0);  // cmsd is trusted, and a change may name any number of messages
  error_code error;
  websocket::response_type answer;
  socket.handshake(answer, "cmsd", target, error);
  if (error == websocket::error::upgrade_declined) {
    // It may not have come as a whole; Ask() gets the same refusal.
    socket_.reset();
    Ask(Verb::get, target + "&wait=1");
    Broken(error.message());
  }
  if (error) Broken(error.message());
  for (;;) {
    socket.read(buffer_, error);
    if (error == websocket::error::closed) {
      const auto& why = socket.reason();
      const bool normal = why.code == websocket::close_code::normal;
      throw Failure(normal ? kRefused : kUnreachable, std::string(why.reason.data(), why.reason.size()));
    }
    if (error) Broken(error.message());
    hear({static_cast<const char*>(buffer_.data().data()), buffer_.size()});
    buffer_.clear();
  }
}

void Client::Download(const std::string& target, const std::function<void(std::string_view)>& consume) {
  if (!socket_) Connect();
  error_code error;
  http::write(*socket_, Request(Verb::get, target, {}), error);
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  http::read_header(*socket_, buffer_, parser, error);
  if (error) Broken(error.message());

  const unsigned status = parser.get().result_int();
  std::string refusal;
  std::vector<char> space(64 * 1024);
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = space.data();
    body.size = space.size();
    http::read(*socket_, buffer_, parser, error);
    if (error == http::error::need_buffer) error = {};
    if (error) Broken(error.message());
    const std::string_view got(space.data(), space.size() - body.size);
    if (status >= 300) {
      refusal += got;
    } else {
      consume(got);
    }
  }
  if (!parser.get().keep_alive()) socket_.reset();
  if (status >= 300) Refused(status, refusal);
}

}  // namespace admin
