// Who is connected over IMAP, and ending that.
#include <charconv>
#include <optional>

#include <boost/json/array.hpp>

#include "server/http/account_json.h"
#include "server/http/resources.h"
#include "server/sessions/session_list.h"

namespace server::http {
namespace {

constexpr std::uint64_t kMaxPage = 1000;

boost::json::object ToJson(const sessions::SessionInfo& session, const std::string& folder) {
  boost::json::object out;
  out["id"] = session.id;
  out["peer"] = session.peer;
  out["tls"] = session.tls;
  out["compressed"] = session.compressed;
  out["account"] = session.address;
  out["folder"] = folder;
  out["doing"] = session.doing;
  out["connected_seconds"] = session.connected.count();
  out["silent_seconds"] = session.silent.count();
  out["octets_in"] = session.octets_in;
  out["octets_out"] = session.octets_out;
  return out;
}

std::optional<std::uint64_t> ReadId(std::string_view text) {
  std::uint64_t id = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, id);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return id;
}

/// Sessions of one account, or any. nullopt: already answered.
asio::awaitable<std::optional<sessions::SessionList::Filter>> WhoseAreAsked(Call& call, Services& services) {
  const auto address = call.Query("account");
  if (!address) co_return [](const sessions::SessionInfo&) { return true; };
  const auto account = co_await AccountNamed(call, services, *address);
  if (!account) co_return std::nullopt;
  co_return [id = account->id](const sessions::SessionInfo& session) { return session.account == id; };
}

}  // namespace

asio::awaitable<void> ListSessions(Call& call, Services& services) {
  const auto after = call.NumberQuery("after", 0, ~std::uint64_t{0});
  const auto limit = call.NumberQuery("limit", kMaxPage, kMaxPage);
  if (!after || !limit || *limit == 0) {
    Refusal refusal{Status::bad_request, "invalid_argument",
                    "\"after\" must be a session's id, \"limit\" a number from 1 to 1000"};
    co_return co_await call.Fail(std::move(refusal));
  }
  auto whose = co_await WhoseAreAsked(call, services);
  if (!whose) co_return;
  const auto found = co_await services.sessions.List(*after, *limit, *std::move(whose));

  auto name_folders = [&] {
    std::vector<std::string> paths;
    for (const auto& session : found) {
      const auto folder = session.folder ? services.store.GetFolder(*session.folder)
                                         : storage::Fail(storage::Errc::kNoSuchFolder);
      paths.push_back(folder ? folder->path : std::string());
    }
    return paths;
  };
  const auto paths = co_await services.storage.Run(name_folders);
  boost::json::array list;
  for (std::size_t i = 0; i < found.size(); ++i) list.push_back(ToJson(found[i], paths[i]));
  boost::json::object body;
  body["sessions"] = std::move(list);
  if (found.size() == *limit) body["next"] = found.back().id;
  co_await call.Reply(Status::ok, std::move(body));
}

asio::awaitable<void> KickSession(Call& call, Services& services) {
  const auto id = ReadId(call.Parameter("id"));
  std::size_t kicked = 0;
  if (id) {
    const auto is_it = [id = *id](const sessions::SessionInfo& session) { return session.id == id; };
    kicked = co_await services.sessions.Kick(is_it);
  }
  if (kicked == 0) {
    Refusal refusal{Status::not_found, "no_such_session", "There is no session with this id (any more)"};
    co_return co_await call.Fail(std::move(refusal));
  }
  boost::json::object body;
  body["kicked"] = kicked;
  co_await call.Reply(Status::ok, std::move(body));
}

asio::awaitable<void> KickSessions(Call& call, Services& services) {
  if (!call.Query("account")) {
    Refusal refusal{Status::bad_request, "invalid_argument",
                    "\"account\" must say whose sessions are to end"};
    co_return co_await call.Fail(std::move(refusal));
  }
  auto whose = co_await WhoseAreAsked(call, services);
  if (!whose) co_return;
  boost::json::object body;
  body["kicked"] = co_await services.sessions.Kick(*std::move(whose));
  co_await call.Reply(Status::ok, std::move(body));
}

}  // namespace server::http
