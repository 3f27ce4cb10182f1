// References on the face for PFs and users: issued, listed, revoked.
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "server/http/reference_json.h"
#include "server/http/resources.h"
#include "server/http/visitor.h"

namespace server::http {
namespace {

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() < 20 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// nullopt: already answered, or the connection is of no more use.
asio::awaitable<std::optional<ReferencesRequest>> ReadRequest(Call& call, ByteBudget::Share& held) {
  const auto json = co_await call.ReadJson(held);
  if (!json) co_return std::nullopt;
  auto read = ReadReferences(*json);
  if (auto* refusal = std::get_if<Refusal>(&read)) {
    co_await call.Fail(std::move(*refusal));
    co_return std::nullopt;
  }
  co_return std::get<ReferencesRequest>(std::move(read));
}

}  // namespace

asio::awaitable<void> CreateReferences(Call& call, Services& services) {
  // As itself before the body is read, which says for whom: a stranger's takes no memory.
  auto login = co_await Identify(call, services, {});
  if (!login) co_return;
  ByteBudget::Share held(services.references->resolving, login->account.id.value);
  const auto read = co_await ReadRequest(call, held);
  if (!read) co_return;
  const auto& request = *read;
  if (!request.account.empty()) login = co_await Identify(call, services, request.account);
  if (!login) co_return;
  if (login->actor.role == storage::Role::kSubmit) {
    Refusal refusal{Status::forbidden, "not_allowed",
                    "An account of role submit fetches, and issues nothing"};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  auto issue = [&] { return IssueAll(services, login->account, login->actor.id, request); };
  auto issued = co_await services.storage.Run(issue, login->account.id.value);
  Audit(call, services, *login, "POST /v1/references", request.references[0].object.folder.value_or(""),
        request.references[0].object.uid ? std::to_string(request.references[0].object.uid->value) : "",
        issued ? fmt::format("{} issued", issued->size()) : "refused");
  if (!issued) {
    co_await call.Fail(std::move(issued).error());
    co_return;
  }
  boost::json::object body;
  body["account"] = login->account.address;
  body["references"] = *std::move(issued);
  co_await call.Reply(Status::created, std::move(body));
}

asio::awaitable<void> ListReferences(Call& call, Services& services) {
  const std::string account = call.Query("account").value_or("");
  const auto login = co_await Identify(call, services, account);
  if (!login) co_return;
  // Whose data it is sees all that was issued for them, an issuer what it issued.
  std::optional<storage::AccountId> issuer;
  if (login->actor.id != login->account.id) issuer = login->actor.id;
  co_await SendReferencePage(call, services, login->account.id, issuer);
}

asio::awaitable<void> RevokeReference(Call& call, Services& services) {
  const std::string token = TokenOf(call);
  const std::string account = call.Query("account").value_or("");
  const auto login = co_await Identify(call, services, account);
  if (!login) co_return;
  auto acting = *login;
  auto revoke = [&]() -> storage::Result<bool> {
    auto desk = DeskOf(services);
    std::optional<storage::Reference> record;
    if (IsNumber(token)) {
      ASSIGN_OR_RETURN(record, services.store.FindReference(login->account.id, std::stoull(token)));
    } else {
      ASSIGN_OR_RETURN(const auto found, desk.FindByToken(token));
      if (found) record = found->record;
    }
    // By a token its issuer need not say in whose account it is.
    const bool own = record && (record->issuer == login->actor.id || (record->account == login->account.id &&
                                                                      login->actor.id == login->account.id));
    if (!own) return false;
    ASSIGN_OR_RETURN(acting.account, services.store.GetAccount(record->account));
    ASSIGN_OR_RETURN(const bool there, services.store.IsThere(record->folder_ref(), record->uid));
    if (!there) return false;
    RETURN_IF_ERROR(services.store.RevokeReference(record->account, record->id));
    return true;
  };
  const auto revoked = co_await services.storage.Run(revoke);
  Audit(call, services, acting, "DELETE /v1/references", {}, {},
        revoked.value_or(false) ? "revoked" : "refused");
  if (!revoked) {
    auto error = revoked.error();
    co_await call.Fail(std::move(error));
  } else if (*revoked) {
    co_await call.Reply(Status::ok, boost::json::object());
  } else {
    co_await NothingHere(call);
  }
}

}  // namespace server::http
