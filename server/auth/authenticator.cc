#include "server/auth/authenticator.h"

#include <boost/asio/steady_timer.hpp>

#include "protocol/cpm/address.h"
#include "server/auth/password_hash.h"
#include "server/net/network.h"
#include "server/short_read.h"

namespace server::auth {
namespace {

using storage::AccountInfo;
using storage::AccountStatus;
using storage::Role;

/// Of one who has proved to be `account`.
Login ItselfOf(AccountInfo account) {
  Login login;
  login.verdict = account.status == AccountStatus::kActive ? Verdict::kAccepted : Verdict::kDisabled;
  if (login.verdict != Verdict::kAccepted) return login;
  login.actor = account;
  login.account = std::move(account);
  return login;
}

Login Unavailable() {
  Login login;
  login.verdict = Verdict::kUnavailable;
  return login;
}

Login NoAccount() {
  Login login;
  login.verdict = Verdict::kNoAccount;
  return login;
}

Login LockedOut(std::chrono::seconds left) {
  Login login;
  login.verdict = Verdict::kLockedOut;
  login.locked_for = left;
  return login;
}

/// Under which failures are counted.
std::string NameOf(std::string_view login) {
  return protocol::cpm::ParseLogin(login).value_or(std::string(login));
}

/// Whose turn it is among those who wait for a password to be checked.
std::uint64_t TurnOf(const asio::ip::address& peer) {
  return std::hash<std::string>()(net::NetworkOf(peer).to_string()) | 1U;
}

}  // namespace

asio::awaitable<Login> Authenticator::Check(std::string_view login, std::string_view password,
                                            const asio::ip::address& peer) {
  std::string name = NameOf(login);
  Login result = co_await CheckNow(login, password, name, peer);
  result = co_await Settle(std::move(result), std::move(name), peer);
  co_return result;
}

asio::awaitable<Login> Authenticator::CheckFor(std::string_view login, std::string_view password,
                                               std::string_view act_as, const asio::ip::address& peer) {
  Login result = co_await Check(login, password, peer);
  result = co_await For(std::move(result), act_as);
  co_return result;
}

asio::awaitable<std::optional<ScramClaim>> Authenticator::FindScram(std::string_view login,
                                                                    protocol::sasl::ScramHash hash) {
  auto found = co_await Find(login);
  if (!found) co_return std::nullopt;
  // Made for everybody, so that it takes as long.
  ScramClaim claim{std::nullopt,
                   NobodysKeys(protocol::cpm::ParseLogin(login).value_or(std::string(login)), hash, scram_)};
  if (!*found) co_return claim;
  if (auto keys = ScramKeysIn((*found)->password_hash, hash)) {
    claim.keys = *std::move(keys);
    claim.account = **std::move(found);
  }
  co_return claim;
}

asio::awaitable<Login> Authenticator::ConcludeScram(std::string_view login,
                                                    std::optional<AccountInfo> account,
                                                    std::string_view act_as, const asio::ip::address& peer) {
  std::string name = NameOf(login);
  if (const auto left = guard_.LockedFor(peer, name)) co_return LockedOut(*left);
  Login result = account ? ItselfOf(*std::move(account)) : Login();
  result = co_await Settle(std::move(result), std::move(name), peer);
  result = co_await For(std::move(result), act_as);
  co_return result;
}

asio::awaitable<Login> Authenticator::Conclude(std::optional<AccountInfo> account, std::string_view act_as,
                                               const asio::ip::address& peer) {
  Login result = account ? ItselfOf(*std::move(account)) : Login();
  result = co_await Settle(std::move(result), {}, peer);
  result = co_await For(std::move(result), act_as);
  co_return result;
}

asio::awaitable<Login> Authenticator::CheckIdentities(const std::vector<std::string>& addresses,
                                                      std::string_view act_as,
                                                      const asio::ip::address& peer) {
  Login result;
  for (const auto& address : addresses) {
    auto found = co_await Find(address);
    if (!found) co_return Unavailable();
    if (!*found) continue;
    result = co_await Conclude(std::move(*found), act_as, peer);
    // With an authorization identity the next name of the certificate may be the one that fits.
    if (act_as.empty() || result.verdict != Verdict::kNotAllowed) break;
  }
  if (result.verdict == Verdict::kRefused) result = co_await Settle(std::move(result), {}, peer);
  co_return result;
}

asio::awaitable<Login> Authenticator::CheckAccount(storage::AccountId account, std::string_view act_as,
                                                   const asio::ip::address& peer) {
  auto get = [&] { return store_.GetAccount(account); };
  auto got = co_await RunShort(storage_, get);
  if (!got && got.error().code != storage::Errc::kNoSuchAccount) co_return Unavailable();
  auto owner = got ? std::optional(*std::move(got)) : std::nullopt;
  auto result = co_await Conclude(std::move(owner), act_as, peer);
  co_return result;
}

asio::awaitable<Login> Authenticator::Settle(Login result, std::string name, const asio::ip::address& peer) {
  if (result.verdict == Verdict::kAccepted && !name.empty()) guard_.Succeeded(peer, name);
  if (result.verdict != Verdict::kRefused) co_return result;
  const auto delay = guard_.Failed(peer, name);
  if (delay.count() > 0) {
    asio::steady_timer timer(co_await asio::this_coro::executor, delay);
    [[maybe_unused]] const auto [ignored] = co_await timer.async_wait(kAsTuple);
  }
  co_return result;
}

asio::awaitable<Login> Authenticator::For(Login login, std::string_view act_as) {
  if (login.verdict != Verdict::kAccepted || act_as.empty()) co_return login;
  auto found = co_await Find(act_as);
  if (!found) co_return Unavailable();
  const auto& user = *found;
  if (user && user->id == login.actor.id) co_return login;  // an alias of its own
  login.verdict = Verdict::kNotAllowed;
  if (login.actor.role == Role::kPf && user && user->status == AccountStatus::kActive &&
      user->role == Role::kUser &&
      (act_for_.Allows(user->address) || ActFor(login.actor.act_for).Allows(user->address))) {
    login.account = *user;
    login.verdict = Verdict::kAccepted;
  }
  co_return login;
}

asio::awaitable<storage::Result<std::optional<AccountInfo>>> Authenticator::Find(std::string_view login) {
  const auto address = protocol::cpm::ParseLogin(login);
  if (!address) co_return std::optional<AccountInfo>();
  auto find = [&] { return store_.FindAccount(*address); };
  auto found = co_await RunShort(storage_, find);
  co_return found;
}

asio::awaitable<Login> Authenticator::AskOutside(std::string_view login, std::string_view password,
                                                 const std::string& name, std::optional<AccountInfo> account,
                                                 const asio::ip::address& peer) {
  const std::string remembered = "external " + name;
  if (account && cache_.Contains(remembered, password)) co_return ItselfOf(*std::move(account));
  const auto address = protocol::cpm::ParseLogin(login);
  const Question question{login, address ? std::string_view(name) : std::string_view(), password, peer};
  const auto attested = co_await external_->Ask(question);
  if (attested.answer == Attestation::Answer::kUnavailable) co_return Unavailable();
  if (attested.answer == Attestation::Answer::kWrong) co_return Login();
  // Of many that are sent at once, others may have been too many by now.
  if (const auto left = guard_.LockedFor(peer, name)) co_return LockedOut(*left);
  if (!attested.account.empty()) {
    auto found = co_await Find(attested.account);
    if (!found) co_return Unavailable();
    account = *std::move(found);
  } else if (account) {
    cache_.Remember(remembered, password);
  }
  if (!account || account->role != Role::kUser) co_return NoAccount();
  co_return ItselfOf(*std::move(account));
}

asio::awaitable<Login> Authenticator::CheckNow(std::string_view login, std::string_view password,
                                               const std::string& name, const asio::ip::address& peer) {
  if (const auto left = guard_.LockedFor(peer, name)) co_return LockedOut(*left);
  auto found = co_await Find(login);
  if (!found) co_return Unavailable();
  auto& account = *found;
  if (external_ != nullptr && (!account || account->role == Role::kUser)) {
    auto attested = co_await AskOutside(login, password, name, std::move(account), peer);
    co_return attested;
  }
  const std::string hash(account ? HashIn(account->password_hash) : std::string_view());
  const bool has_password = !hash.empty();
  const std::string& against = has_password ? hash : NobodysHash();
  bool matches = cache_.Contains(against, password);
  if (!matches) {
    if (passwords_.queued() >= kMostWaiting || passwords_.queued(TurnOf(peer)) >= kMostOfOneWaiting)
      co_return Unavailable();
    std::optional<std::chrono::seconds> left;
    auto verify = [&] {
      // Of many that are sent at once, those that waited may be too many by now.
      left = guard_.LockedFor(peer, name);
      if (left) return false;
      if (verify_(against, password)) return true;
      // A failure costs both kinds of hash: an account with an imported one is not told from an unknown name.
      static_cast<void>(
          verify_(against.starts_with("$6$") ? NobodysHash() : NobodysImportedHash(), password));
      return false;
    };
    matches = co_await passwords_.Run(verify, TurnOf(peer));
    if (left) co_return LockedOut(*left);
    if (matches) cache_.Remember(against, password);
  }
  if (!matches || !has_password) co_return Login();
  co_return ItselfOf(*std::move(account));
}

}  // namespace server::auth
