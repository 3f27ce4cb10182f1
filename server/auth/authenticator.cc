#include "server/auth/authenticator.h"

#include <boost/asio/steady_timer.hpp>

#include "protocol/cpm/address.h"
#include "server/auth/password_hash.h"

namespace server::auth {

asio::awaitable<Login> Authenticator::Check(std::string_view login, std::string_view password,
                                            const asio::ip::address& peer) {
  Login result = co_await CheckNow(login, password);
  if (result.verdict == Verdict::kAccepted) delay_.Succeeded(peer);
  if (result.verdict != Verdict::kRefused) co_return result;

  const auto delay = delay_.Failed(peer);
  if (delay.count() > 0) {
    asio::steady_timer timer(co_await asio::this_coro::executor, delay);
    [[maybe_unused]] const auto [ignored] = co_await timer.async_wait(kAsTuple);
  }
  co_return result;
}

asio::awaitable<Login> Authenticator::CheckFor(std::string_view login, std::string_view password,
                                               std::string_view act_as, const asio::ip::address& peer) {
  Login result = co_await Check(login, password, peer);
  if (result.verdict != Verdict::kAccepted) co_return result;
  result.verdict = Verdict::kNotAllowed;
  const auto address = protocol::cpm::ParseLogin(act_as);
  if (result.actor.role != storage::Role::kPf || !address) co_return result;
  auto find = [&] { return store_.FindAccount(*address); };
  auto found = co_await storage_.Run(find);
  if (!found) {
    result.verdict = Verdict::kUnavailable;
  } else if (*found && (*found)->status == storage::AccountStatus::kActive &&
             (*found)->role == storage::Role::kUser && act_for_.Allows((*found)->address)) {
    result.account = **std::move(found);
    result.verdict = Verdict::kAccepted;
  }
  co_return result;
}

asio::awaitable<Login> Authenticator::CheckNow(std::string_view login, std::string_view password) {
  Login result;
  const auto address = protocol::cpm::ParseLogin(login);
  std::optional<storage::AccountInfo> account;
  if (address) {
    auto find = [&] { return store_.FindAccount(*address); };
    auto found = co_await storage_.Run(find);
    if (!found) {
      result.verdict = Verdict::kUnavailable;
      co_return result;
    }
    account = std::move(*found);
  }

  const bool has_password = account && !account->password_hash.empty();
  const std::string& hash = has_password ? account->password_hash : NobodysHash();
  bool matches = cache_.Contains(hash, password);
  if (!matches) {
    auto verify = [&] {
      if (verify_(hash, password)) return true;
      // An imported SHA-512-crypt hash costs less: its account must not be told from an unknown name.
      if (hash.starts_with("$6$")) static_cast<void>(verify_(NobodysHash(), password));
      return false;
    };
    matches = co_await passwords_.Run(verify);
    if (matches) cache_.Remember(hash, password);
  }
  if (!matches || !has_password) co_return result;

  const bool active = account->status == storage::AccountStatus::kActive;
  result.verdict = active ? Verdict::kAccepted : Verdict::kDisabled;
  if (active) {
    result.actor = *account;
    result.account = std::move(*account);
  }
  co_return result;
}

}  // namespace server::auth
