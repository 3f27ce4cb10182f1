#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "server/auth/act_for.h"
#include "server/auth/external_verifier.h"
#include "server/auth/guess_guard.h"
#include "server/auth/password_cache.h"
#include "server/auth/password_hash.h"
#include "server/auth/password_record.h"
#include "server/clock.h"
#include "server/net/asio.h"
#include "server/net/storage_executor.h"
#include "storage/store/mail_store.h"

namespace server::auth {

enum class Verdict {
  kAccepted,
  kRefused,      ///< no such account, or not its password: the client never learns which
  kNotBound,     ///< SCRAM: the proof is not for this TLS connection, or somebody is between us
  kDisabled,     ///< the password is right, the account is not active
  kNoAccount,    ///< the password is right, but there is no such user here
  kNotAllowed,   ///< the password is right, but not to act for this user, who may not exist
  kLockedOut,    ///< too many wrong passwords from there (GuessGuard); this one was not looked at
  kUnavailable,  ///< the store or the subscriber database did not answer, or too many passwords wait
};

struct Login {
  Verdict verdict = Verdict::kRefused;
  storage::AccountInfo account;        ///< when kAccepted: in which to act
  storage::AccountInfo actor;          ///< when kAccepted: whose password it was; mostly the same
  std::chrono::seconds locked_for{0};  ///< when kLockedOut
};

/// Verify() but in tests that count. Called on the pool for passwords.
using VerifyPassword = std::function<bool(const std::string& hash, std::string_view password)>;

/// The first half of SCRAM: who it is, if it is anybody with such keys, and what the challenge is made of.
struct ScramClaim {
  std::optional<storage::AccountInfo> account;
  protocol::sasl::ScramKeys keys;
};

/// Checks who somebody is for every front end. An unknown name costs as much as a wrong password. Failures
/// are answered later and later, and then lock whoever sends them out for a while (GuessGuard); a
/// certificate, a pre-shared key or a token cannot be guessed, so they only wait. As many passwords are
/// hashed at once as `passwords` has threads, each in up to 19 MiB; of those that wait the networks take
/// turns, so that nobody waits for the guesses of another; beyond kMostWaiting, and kMostOfOneWaiting of one,
/// they are refused. With an ExternalVerifier it is that one who is asked for users' passwords, and for those
/// of unknown names; Participating Functions and operators have theirs in the store.
///
/// Lifetime   outlives the calls; what it refers to outlives it.
/// Thread     any.
class Authenticator {
 public:
  Authenticator(storage::MailStore& store, net::StorageExecutor& storage, net::StorageExecutor& passwords,
                const Clock& clock, GuessGuard::Limits guessing = {}, ActFor act_for = {},
                VerifyPassword verify = Verify, ScramOptions scram = {}, ExternalVerifier* external = nullptr)
      : store_(store),
        storage_(storage),
        passwords_(passwords),
        guard_(clock, guessing),
        cache_(clock),
        act_for_(std::move(act_for)),
        verify_(std::move(verify)),
        scram_(std::move(scram)),
        external_(external) {}

  /// Whether SCRAM has a chance: another's passwords have left no keys here.
  bool KnowsScramKeys() const { return external_ == nullptr; }

  /// `login` as typed (protocol/cpm/address.h, ParseLogin). Returns after the delay that `peer` has earned.
  /// The arguments live until this returns.
  asio::awaitable<Login> Check(std::string_view login, std::string_view password,
                               const asio::ip::address& peer);

  /// The same, for one who wants to act for `act_as` (as typed; empty: for itself) and needs the role pf for
  /// it. A refusal does not say whether that user exists.
  asio::awaitable<Login> CheckFor(std::string_view login, std::string_view password, std::string_view act_as,
                                  const asio::ip::address& peer);

  /// An unknown name, and an account without such keys, get keys that nobody has. nullopt: the store did not
  /// answer.
  asio::awaitable<std::optional<ScramClaim>> FindScram(std::string_view login,
                                                       protocol::sasl::ScramHash hash);
  /// The verdict on one who has proved to know the password of `account`; nullopt: has not. `login`: as
  /// typed. After the delay, like Check().
  asio::awaitable<Login> ConcludeScram(std::string_view login, std::optional<storage::AccountInfo> account,
                                       std::string_view act_as, const asio::ip::address& peer);
  /// For one whom a certificate names: the first of `addresses` (as typed) that is an account; with `act_as`
  /// the one that is this account, or may act for it.
  asio::awaitable<Login> CheckIdentities(const std::vector<std::string>& addresses, std::string_view act_as,
                                         const asio::ip::address& peer);
  /// For one whom a pre-shared key proves.
  asio::awaitable<Login> CheckAccount(storage::AccountId account, std::string_view act_as,
                                      const asio::ip::address& peer);

  const GuessGuard& guard() const { return guard_; }

 private:
  /// Passwords of all, and of one network: whoever fills the queue does not fill it for others.
  static constexpr std::size_t kMostWaiting = 1000;
  static constexpr std::size_t kMostOfOneWaiting = 100;

  /// Of what nobody guesses.
  asio::awaitable<Login> Conclude(std::optional<storage::AccountInfo> account, std::string_view act_as,
                                  const asio::ip::address& peer);
  /// Counts a failure and holds its answer back; a success is remembered. Empty `name`: no password.
  asio::awaitable<Login> Settle(Login result, std::string name, const asio::ip::address& peer);
  /// Of one who is accepted as itself.
  asio::awaitable<Login> For(Login login, std::string_view act_as);
  /// No account: unknown name, or none at all.
  asio::awaitable<storage::Result<std::optional<storage::AccountInfo>>> Find(std::string_view login);
  /// Of a user, or of a name that is nobody's here.
  asio::awaitable<Login> AskOutside(std::string_view login, std::string_view password,
                                    const std::string& name, std::optional<storage::AccountInfo> account,
                                    const asio::ip::address& peer);
  asio::awaitable<Login> CheckNow(std::string_view login, std::string_view password, const std::string& name,
                                  const asio::ip::address& peer);

  storage::MailStore& store_;
  net::StorageExecutor& storage_;
  net::StorageExecutor& passwords_;
  GuessGuard guard_;
  PasswordCache cache_;
  const ActFor act_for_;
  const VerifyPassword verify_;
  const ScramOptions scram_;
  ExternalVerifier* const external_;  ///< null: all passwords are in the store
};

}  // namespace server::auth
