#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <spdlog/logger.h>
#include <tl/expected.hpp>

#include "server/auth/circuit_breaker.h"
#include "server/config/config.h"
#include "server/net/asio.h"

namespace server::auth {

/// Where the subscriber database is: "https://host:port/path".
struct ServiceUrl {
  bool tls = false;
  std::string host;  ///< a name or an address, an IPv6 one without its brackets
  std::string port;
  std::string target;  ///< path and query

  /// An error is a clause: "must be ...".
  static tl::expected<ServiceUrl, std::string> Parse(std::string_view url);
};

/// What is asked.
struct Question {
  std::string_view login;    ///< as typed
  std::string_view address;  ///< the canonical address that it stands for; empty: none
  std::string_view password;
  asio::ip::address peer;  ///< the client's
};

/// What the subscriber database says.
struct Attestation {
  enum class Answer { kRight, kWrong, kUnavailable };
  Answer answer = Answer::kUnavailable;
  std::string account;  ///< when kRight: whose account it is; empty: that of the login's own address
};

/// Asks a subscriber database (a GBA/BSF, an AAA) over HTTP whether a password is right. The requests and
/// answers are in README.md. Each is a connection of its own, with one deadline for all of it; after some
/// failures the CircuitBreaker keeps the next ones away. Nobody waits for DNS: a name is looked up at the
/// start, and again beside the questions.
///
/// Lifetime   outlives the event loops in which it is asked.
/// Thread     any.
class ExternalVerifier {
 public:
  /// An error is a sentence.
  static tl::expected<std::unique_ptr<ExternalVerifier>, std::string> Open(config::Verifier settings,
                                                                           const Clock& clock,
                                                                           spdlog::logger& log);

  /// What `question` refers to lives until this returns.
  asio::awaitable<Attestation> Ask(Question question);

 private:
  using Endpoints = std::vector<asio::ip::tcp::endpoint>;
  struct Failure {
    std::string why;
    bool down = true;  ///< it may be out of order; else it has refused the question
  };
  using Body = tl::expected<std::string, Failure>;

  ExternalVerifier(config::Verifier settings, ServiceUrl url, const Clock& clock, spdlog::logger& log);

  /// Whether there is room for one more question of this network, which Leave() gives back.
  bool Enter(const asio::ip::address& network);
  void Leave(const asio::ip::address& network);
  /// The answer's body.
  asio::awaitable<Body> Post(const std::string& request);
  template <class Stream>
  asio::awaitable<Body> Exchange(Stream& stream, const std::string& request);

  std::shared_ptr<const Endpoints> Current(const asio::any_io_executor& executor);
  asio::awaitable<void> LookUp();
  void Learn(std::shared_ptr<const Endpoints> endpoints);

  const config::Verifier settings_;
  const ServiceUrl url_;
  const Clock& clock_;
  spdlog::logger& log_;
  std::string bearer_;  ///< for Authorization; empty: none
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  CircuitBreaker breaker_;

  std::mutex mutex_;
  std::size_t asking_ = 0;
  std::map<asio::ip::address, std::size_t> asking_of_;  ///< by network
  std::shared_ptr<const Endpoints> endpoints_;
  std::chrono::steady_clock::time_point looked_up_;
  bool looking_up_ = false;
};

}  // namespace server::auth
