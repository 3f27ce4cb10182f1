#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/auth/password_record.h"
#include "server/config/config.h"
#include "server/http/byte_budget.h"
#include "server/http/news_wait.h"
#include "server/net/storage_executor.h"
#include "server/references/cpim_cache.h"
#include "server/references/desk.h"
#include "server/sessions/session_list.h"
#include "storage/store/mail_store.h"

namespace server {
class Clock;
}
namespace server::auth {
class AuditLog;
class Authenticator;
class TokenVerifier;
}  // namespace server::auth
namespace server::net {
class PskKeys;
}

namespace server::http {

/// A number for GET /metrics, read when it is asked for. The name is Prometheus's: "cmsd_connections".
struct Gauge {
  std::string name;
  std::string help;
  std::function<double()> read;
};

/// What the resources of references work with.
struct ReferenceServices {
  auth::Authenticator& authenticator;
  auth::TokenVerifier* tokens = nullptr;  ///< nullptr: no bearer tokens
  auth::AuditLog* audit = nullptr;        ///< nullptr: what PFs do is not written down
  const Clock& clock;
  references::ReferenceSettings settings;
  std::uint64_t message_limit = 16 << 20;  ///< octets of a message with references, and of one without
  /// Of messages whose references are resolved, and of what comes of them. An account's: two of the largest.
  ByteBudget resolving{256 << 20, 32 << 20};
  references::CpimCache cpims{8 << 20};
};

/// What the resources work with. All of it outlives the server, and what is in it by reference its event
/// loop.
struct Services {
  storage::MailStore& store;
  net::StorageExecutor& storage;
  net::StorageExecutor& passwords;
  const config::Profile& profile;
  sessions::SessionList& sessions;
  WaitingRoom& waiting;
  std::uint64_t append_limit = 1U << 30;  ///< octets of one imported message
  std::vector<Gauge> gauges;
  auth::ScramOptions scram;                 ///< of the passwords that are set
  net::PskKeys* psk_keys = nullptr;         ///< to be kept in step with the store's
  ReferenceServices* references = nullptr;  ///< nullptr only where nobody asks for references
  std::vector<std::string> act_for;         ///< of all Participating Functions, by the configuration
};

}  // namespace server::http
