// References as the operator sees them, who may do all and leaves no count.
#include <boost/json/array.hpp>

#include "protocol/model/mailbox_name.h"
#include "server/http/account_json.h"
#include "server/http/reference_data.h"
#include "server/http/reference_json.h"
#include "server/http/resources.h"
#include "server/references/url_token.h"

namespace server::http {
namespace {

using references::PartReader;

constexpr storage::AccountId kOperator{0};  ///< as an issuer

Refusal NoSuchReference() {
  return {Status::not_found, "no_such_reference", "There is no such reference, or its message is gone"};
}

struct NamedReference {
  storage::AccountInfo account;
  storage::Reference record;
};

/// "{address}" and "{id}"; nullopt: already answered.
asio::awaitable<std::optional<NamedReference>> Named(Call& call, Services& services) {
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return std::nullopt;
  const std::string& text = call.Parameter("id");
  std::uint64_t id = 0;
  if (text.size() < 20 && text.find_first_not_of("0123456789") == std::string::npos) id = std::stoull(text);
  auto find = [&]() -> storage::Result<std::optional<storage::Reference>> {
    ASSIGN_OR_RETURN(auto record, services.store.FindReference(account->id, id));
    if (!record) return record;
    ASSIGN_OR_RETURN(const bool there, services.store.IsThere(record->folder_ref(), record->uid));
    if (!there) record.reset();
    return record;
  };
  auto found = co_await services.storage.Run(find);
  if (!found) {
    co_await call.Fail(std::move(found).error());
    co_return std::nullopt;
  }
  if (!*found) {
    auto refusal = NoSuchReference();
    co_await call.Fail(std::move(refusal));
    co_return std::nullopt;
  }
  co_return NamedReference{*account, **std::move(found)};
}

}  // namespace

asio::awaitable<void> CreateAccountReferences(Call& call, Services& services) {
  const auto json = co_await call.ReadJson();
  if (!json) co_return;
  auto read = ReadReferences(*json);
  if (auto* refusal = std::get_if<Refusal>(&read)) {
    co_await call.Fail(std::move(*refusal));
    co_return;
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto issue = [&] { return IssueAll(services, *account, kOperator, std::get<ReferencesRequest>(read)); };
  auto issued = co_await services.storage.Run(issue);
  if (!issued) {
    co_await call.Fail(std::move(issued).error());
    co_return;
  }
  boost::json::object body;
  body["account"] = account->address;
  body["references"] = *std::move(issued);
  co_await call.Reply(Status::created, std::move(body));
}

asio::awaitable<void> ListAccountReferences(Call& call, Services& services) {
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  co_await SendReferencePage(call, services, account->id, std::nullopt);
}

asio::awaitable<void> ShowAccountReference(Call& call, Services& services) {
  const auto named = co_await Named(call, services);
  if (!named) co_return;
  auto show = [&] {
    auto desk = DeskOf(services);
    return ToJson(services.store, desk, named->record);
  };
  auto shown = co_await services.storage.Run(show);
  if (!shown) {
    co_await call.Fail(std::move(shown).error());
    co_return;
  }
  co_await call.Reply(Status::ok, *std::move(shown));
}

asio::awaitable<void> FetchAccountReference(Call& call, Services& services) {
  const auto named = co_await Named(call, services);
  if (!named) co_return;
  PartAnswer answer;
  auto open = [&]() -> storage::Result<bool> {
    const auto place = references::ReferenceDesk::PartOf(named->record);
    ASSIGN_OR_RETURN(auto part, PartReader::Open(services.store, place));
    if (!part) return false;
    ASSIGN_OR_RETURN(const bool is_open, references::IsOpen(part->Begin(answer.form)));
    if (!is_open) return false;
    answer.part = std::move(part);
    const auto head = references::HeadOf(*answer.part, place.section);
    answer.type = head.type;
    answer.name = head.name;
    answer.etag = "\"" + std::to_string(named->record.id) + "\"";
    answer.who = named->account.id;
    return true;
  };
  auto opened = co_await services.storage.Run(open);
  if (!opened) {
    co_await call.Fail(std::move(opened).error());
    co_return;
  }
  const auto count = []() -> storage::Result<bool> { return true; };
  bool sent = *opened;
  if (sent) sent = co_await SendPart(call, services, std::move(answer), count);
  if (sent) co_return;
  auto refusal = NoSuchReference();
  co_await call.Fail(std::move(refusal));
}

asio::awaitable<void> RevokeAccountReference(Call& call, Services& services) {
  const auto named = co_await Named(call, services);
  if (!named) co_return;
  auto revoke = [&] { return services.store.RevokeReference(named->account.id, named->record.id); };
  auto revoked = co_await services.storage.Run(revoke);
  if (!revoked) {
    co_await call.Fail(std::move(revoked).error());
    co_return;
  }
  co_await call.Reply(Status::ok, boost::json::object());
}

asio::awaitable<void> ResetAccountKeys(Call& call, Services& services) {
  const auto folder = call.Query("folder");
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto reset = [&] {
    const storage::Actor actor({}, storage::Role::kOperator);
    if (!folder) return services.store.ResetUrlKeys(account->id, actor);
    return services.store.ResetUrlKey(account->id, protocol::CanonicalMailboxName(*folder),
                                      references::NewUrlKey(), actor);
  };
  auto done = co_await services.storage.Run(reset);
  if (!done) {
    co_await call.Fail(std::move(done).error());
    co_return;
  }
  co_await call.Reply(Status::ok, boost::json::object());
}

}  // namespace server::http
