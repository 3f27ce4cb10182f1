// GET /v1/accounts/{address}/changes: what has changed, at once, after a wait, or again and again.
#include "server/http/account_json.h"
#include "server/http/changes_json.h"
#include "server/http/changes_socket.h"
#include "server/http/news_wait.h"
#include "server/http/peer_watch.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

constexpr std::uint64_t kMaxWait = 300;  ///< seconds

struct Asked {
  std::optional<storage::ModSeq> since;
  std::chrono::seconds wait{0};
};

std::optional<Asked> ReadQuery(const Call& call) {
  Asked asked;
  if (call.Query("since")) {
    const auto since = call.NumberQuery("since", 0, protocol::kMaxModSeq.value);
    if (!since) return std::nullopt;
    asked.since = storage::ModSeq{*since};
  }
  const auto wait = call.NumberQuery("wait", 0, kMaxWait);
  if (!wait) return std::nullopt;
  asked.wait = std::chrono::seconds(*wait);
  return asked;
}

/// Waits until there is something to tell, or the time is over. nullopt: there is nobody to tell it to.
asio::awaitable<std::optional<storage::Result<storage::AccountChanges>>> LookUntil(
    Call& call, Services& services, storage::AccountId account, storage::ModSeq since,
    std::chrono::steady_clock::time_point until) {
  NewsWait wait(services.waiting, services.store.feed(), account, call.stream().get_executor());
  const PeerWatch peer(call.stream(), [&] { wait.Wake(); });
  for (;;) {
    auto look = [&] { return services.store.ChangesSince(account, since); };
    auto changes = co_await services.storage.Run(look);
    if (!changes || changes->modseq != since) co_return std::move(changes);
    if (services.waiting.closed() || std::chrono::steady_clock::now() >= until) co_return std::move(changes);
    if (peer.gone()) co_return std::nullopt;
    co_await wait.Next(until);
  }
}

asio::awaitable<void> Send(Call& call, Services& services, ChangesText text) {
  bool sending = false;
  while (!text.done()) {
    auto next = [&] { return text.Next(); };
    auto portion = co_await services.storage.Run(next);
    if (!portion && !sending) co_return co_await call.Fail(std::move(portion).error());
    // An answer under way can only be broken off: the missing last chunk tells the caller.
    if (!portion) co_return;
    if (!sending) sending = co_await call.StartStream("application/json");
    if (sending) sending = co_await call.Write(*portion);
    if (!sending) co_return;
  }
  [[maybe_unused]] const bool ended = co_await call.EndStream();
}

}  // namespace

asio::awaitable<void> ListChanges(Call& call, Services& services) {
  const auto asked = ReadQuery(call);
  if (!asked) {
    Refusal refusal{Status::bad_request, "invalid_argument",
                    "\"since\" must be a mod-sequence, \"wait\" a number of seconds up to 300"};
    co_return co_await call.Fail(std::move(refusal));
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  const auto since = asked->since.value_or(account->modseq);
  const bool waits = asked->wait.count() > 0 || call.WantsSocket();
  if (waits && services.waiting.full()) {
    Refusal refusal{Status::service_unavailable, "too_many_waiting",
                    "Too many wait for changes already: end some, or ask without \"wait\""};
    co_return co_await call.Fail(std::move(refusal));
  }
  if (call.WantsSocket()) co_return co_await TellChanges(call, services, account->id, since);

  auto changes =
      co_await LookUntil(call, services, account->id, since, std::chrono::steady_clock::now() + asked->wait);
  if (!changes) co_return;
  if (!*changes) co_return co_await call.Fail(std::move(*changes).error());
  co_await Send(call, services, ChangesText(services, account->id, **std::move(changes), since));
}

}  // namespace server::http
