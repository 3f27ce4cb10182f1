#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/json/object.hpp>

#include "server/net/asio.h"

namespace admin {

using Verb = boost::beast::http::verb;

/// Talks to a running cmsd over its operator socket, one request after the other. Every refusal and every
/// broken connection is a Failure with cmsd's own sentence.
class Client {
 public:
  explicit Client(std::string socket_path) : path_(std::move(socket_path)) {}

  /// True if a cmsd answers.
  bool IsThere();

  /// The body of the answer.
  std::string Ask(Verb verb, const std::string& target, const std::string& body = {});
  boost::json::object AskJson(Verb verb, const std::string& target, const std::string& body = {});

  /// Sends a body piece by piece: `produce` is given a function that sends and returns false when cmsd takes
  /// no more.
  using Send = std::function<bool(std::string_view)>;
  boost::json::object Upload(const std::string& target, const std::function<void(const Send&)>& produce,
                             const std::string& content_type = {});

  /// Hears the text messages of a WebSocket. Ends only with a Failure: kRefused, cmsd has closed it for a
  /// reason of its own, such as that the account is deleted; kUnreachable, it is gone.
  [[noreturn]] void Listen(const std::string& target, const std::function<void(std::string_view)>& hear);

  /// Receives a body piece by piece.
  void Download(const std::string& target, const std::function<void(std::string_view)>& consume);

 private:
  using Socket = boost::asio::local::stream_protocol::socket;
  void Connect();
  [[noreturn]] void Broken(const std::string& what);
  std::string ReadAnswer();

  std::string path_;
  boost::asio::io_context context_;
  std::unique_ptr<Socket> socket_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace admin
