#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "server/http/account_json.h"
#include "server/http/error_map.h"
#include "server/http/for_each.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

constexpr std::size_t kMaxBatch = 4 << 20;
/// So many accounts share a sync of the store.
constexpr std::size_t kAtOnce = 32;

struct Line {
  std::size_t number;
  std::string_view text;
};

std::vector<Line> SplitLines(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) lines.push_back({number, line});
  }
  return lines;
}

boost::json::object ErrorLine(const Line& line, const Refusal& refusal) {
  boost::json::object error;
  error["code"] = refusal.code;
  error["message"] = refusal.message;
  boost::json::object out;
  out["line"] = line.number;
  out["error"] = std::move(error);
  return out;
}

asio::awaitable<boost::json::object> LoadOne(Line line, Services& services) {
  ErrorCode error;
  const auto json = boost::json::parse(line.text, error);
  if (error || !json.is_object()) {
    Refusal refusal{Status::bad_request, "not_json", "not a JSON object"};
    co_return ErrorLine(line, refusal);
  }
  auto request = ReadAccount(json.get_object(), services.profile);
  if (const auto* refusal = std::get_if<Refusal>(&request)) co_return ErrorLine(line, *refusal);
  auto& [account, password] = std::get<AccountRequest>(request);
  auto hash = co_await HashOf(password, services);
  if (!hash) {
    Refusal refusal{Status::service_unavailable, "unavailable", "no memory to hash the password"};
    co_return ErrorLine(line, refusal);
  }
  account.password_hash = *std::move(hash);
  auto create = [&] { return services.store.CreateAccount(account); };
  const auto created = co_await services.storage.Run(create);
  if (!created) co_return ErrorLine(line, RefusalFor(created.error()));
  boost::json::object out;
  out["line"] = line.number;
  out["id"] = created->value;
  out["address"] = account.address;
  co_return out;
}

}  // namespace

// The whole batch is read before the first account is made: the answer could not be sent to a caller who is
// still sending. Callers with more send several batches.
asio::awaitable<void> LoadAccounts(Call& call, Services& services) {
  const auto text = co_await call.ReadAll(kMaxBatch);
  if (!text) co_return;
  const auto lines = SplitLines(*text);
  std::vector<boost::json::object> results(lines.size());
  auto load = [&](std::size_t i) -> asio::awaitable<void> {
    results[i] = co_await LoadOne(lines[i], services);
  };
  co_await ForEach(lines.size(), kAtOnce, load);
  std::string body;
  for (const auto& result : results) body += boost::json::serialize(result) + "\n";
  co_await call.ReplyText("application/jsonl", std::move(body));
}

}  // namespace server::http
