#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "server/auth/act_for.h"
#include "server/auth/failure_delay.h"
#include "server/auth/password_cache.h"
#include "server/auth/password_hash.h"
#include "server/clock.h"
#include "server/net/asio.h"
#include "server/net/storage_executor.h"
#include "storage/store/mail_store.h"

namespace server::auth {

enum class Verdict {
  kAccepted,
  kRefused,      ///< no such account, or not its password: the client never learns which
  kDisabled,     ///< the password is right, the account is not active
  kNotAllowed,   ///< the password is right, but not to act for this user, who may not exist
  kUnavailable,  ///< the store did not answer
};

struct Login {
  Verdict verdict = Verdict::kRefused;
  storage::AccountInfo account;  ///< when kAccepted: in which to act
  storage::AccountInfo actor;    ///< when kAccepted: whose password it was; mostly the same
};

/// Verify() but in tests that count. Called on the pool for passwords.
using VerifyPassword = std::function<bool(const std::string& hash, std::string_view password)>;

/// Checks names and passwords for every front end. An unknown name costs as much as a wrong password,
/// failures from one address are answered later and later, and only so many passwords are hashed at once as
/// `passwords` has threads.
///
/// Lifetime   outlives the calls; what it refers to outlives it.
/// Thread     any.
class Authenticator {
 public:
  Authenticator(storage::MailStore& store, net::StorageExecutor& storage, net::StorageExecutor& passwords,
                const Clock& clock, std::chrono::milliseconds max_delay = FailureDelay::kMax,
                ActFor act_for = {}, VerifyPassword verify = Verify)
      : store_(store),
        storage_(storage),
        passwords_(passwords),
        delay_(clock, max_delay),
        cache_(clock),
        act_for_(std::move(act_for)),
        verify_(std::move(verify)) {}

  /// `login` as typed (protocol/cpm/address.h, ParseLogin). Returns after the delay that `peer` has earned.
  /// The arguments live until this returns.
  asio::awaitable<Login> Check(std::string_view login, std::string_view password,
                               const asio::ip::address& peer);

  /// The same, for one who wants to act for `act_as` (as typed) and needs the role pf for it. A refusal does
  /// not say whether that user exists.
  asio::awaitable<Login> CheckFor(std::string_view login, std::string_view password, std::string_view act_as,
                                  const asio::ip::address& peer);

 private:
  asio::awaitable<Login> CheckNow(std::string_view login, std::string_view password);

  storage::MailStore& store_;
  net::StorageExecutor& storage_;
  net::StorageExecutor& passwords_;
  FailureDelay delay_;
  PasswordCache cache_;
  const ActFor act_for_;
  const VerifyPassword verify_;
};

}  // namespace server::auth
