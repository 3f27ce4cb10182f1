#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/transcript_client.h"

namespace tests::transcript {

/// How a session reaches the server.
struct Approach {
  bool remote = false;  ///< not from the server's own machine
  bool implicit_tls = false;
};

/// What a transcript is played against. Every transcript gets a new one, with an empty account.
class Server {
 public:
  virtual ~Server() = default;

  /// The account's login name; the password is "pass".
  virtual std::string user() const = 0;
  virtual std::unique_ptr<Client> Connect(const Approach& approach) = 0;
  /// Lets the server work and `client` talk to it until `done` is true or, false, nothing is left to do.
  virtual bool Await(Client& client, const std::function<bool()>& done) = 0;

  /// Whether the following and what is not plain IMAP can be done at all.
  virtual bool InProcess() const = 0;
  /// "config plaintext_login=never", "account bob", "quota 3 messages"; a sentence if that is impossible.
  virtual std::optional<std::string> Given(std::string_view what) = 0;
  virtual void Advance(std::chrono::seconds by) = 0;
  virtual void Shutdown() = 0;
};

/// server::imap over the store in memory, one event loop, no time passing. The store is checked when it goes.
std::unique_ptr<Server> NewLocalServer();

/// A server that listens on `address` ("127.0.0.1:1143") and lets anybody in with "pass": the oracle.
/// Throws std::runtime_error.
std::unique_ptr<Server> NewRemoteServer(const std::string& address);

}  // namespace tests::transcript
