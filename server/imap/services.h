#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "protocol/imap/limits.h"
#include "server/auth/authenticator.h"
#include "server/clock.h"
#include "server/config/config.h"
#include "server/net/storage_executor.h"
#include "server/references/url_authority.h"
#include "storage/store/mail_store.h"

namespace spdlog {
class logger;
}
namespace server::net {
class TlsContext;
}

namespace server::auth {
class AuditLog;
class TokenVerifier;
}  // namespace server::auth

namespace server::sessions {
class AccountSeats;
class SessionList;
}  // namespace server::sessions

namespace server::imap {

/// Settings of the IMAP service; the composition root fills them from the configuration.
struct ImapOptions {
  bool plaintext_login_on_loopback = false;       ///< LOGIN without TLS, from this machine only
  bool scram_without_tls = false;                 ///< from anywhere
  bool scram_sha1 = false;                        ///< SCRAM-SHA-1 too
  std::uint64_t append_limit = 1U << 30;          ///< octets of one message (RFC 7889)
  std::uint64_t metadata_value_limit = 64 << 10;  ///< octets; the store's (StoreOptions)
  bool pf_may_set_quota = false;                  ///< SETQUOTA is for role pf, else for nobody
  std::chrono::seconds login_limit{60};           ///< from connecting to being logged in
  std::chrono::seconds command_limit{
      120};  ///< from the first octet of a command to its last, literals of APPEND aside
  std::chrono::seconds transfer_stall{
      60};                           ///< in which an APPEND's literal must bring `transfer_step` octets
  std::size_t transfer_step = 4096;  ///< both ways: net::Pace
  std::chrono::seconds idle_limit{30 * 60};  ///< between commands and within IDLE (RFC 3501 §5.4)
  std::chrono::seconds write_stall{60};      ///< in which a client must take `transfer_step` octets
  std::size_t bad_commands_before_login = 10;
  std::size_t bad_commands = 20;                        ///< in a row
  std::uint64_t url_work = protocol::limits::kUrlWork;  ///< of one command; tests have less
  references::UrlPolicy urls;
  std::string product = "CPM Message Store";
  std::string version = "0.1.0";
};

ImapOptions OptionsFrom(const config::Config& config);

/// What a connection works with. All of it outlives every connection.
struct Services {
  storage::MailStore& store;
  net::StorageExecutor& storage;
  auth::Authenticator& authenticator;
  const Clock& clock;
  spdlog::logger& log;
  const ImapOptions& options;
  const net::TlsContext* tls = nullptr;       ///< null: no STARTTLS
  sessions::SessionList* sessions = nullptr;  ///< null: nobody asks who is there
  auth::TokenVerifier* tokens = nullptr;      ///< null: no OAUTHBEARER
  auth::AuditLog* audit = nullptr;            ///< null: what PFs do is not written down
  sessions::AccountSeats* seats = nullptr;    ///< null: an account has any number of sessions
};

}  // namespace server::imap
