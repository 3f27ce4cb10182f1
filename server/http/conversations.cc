#include <algorithm>

#include <boost/json/array.hpp>

#include "protocol/model/mailbox_name.h"
#include "server/http/account_json.h"
#include "server/http/conversation_summary.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

constexpr std::uint64_t kMaxPage = 1000;

struct ConversationPage {
  boost::json::array conversations;
  std::string next;  ///< the last one's folder, if there are more
};

/// In path order, where inferiors follow their superior: '/' sorts before all else.
bool IsBehind(std::string_view path, std::string_view after) {
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)) + 1; };
  return std::ranges::lexicographical_compare(after, path, {}, rank, rank);
}

storage::Result<ConversationPage> ReadConversations(storage::MailStore& store, storage::AccountId account,
                                                    const std::string& after, std::size_t limit) {
  const auto names = store.ListFolders(account);
  if (!names) return tl::unexpected(names.error());
  ConversationPage page;
  std::string last;
  for (std::size_t i = 0; i < names->size(); ++i) {
    const auto& entry = (*names)[i];
    if (!IsBehind(entry.path, after)) continue;
    if (entry.kind != storage::FolderKind::kConversation || entry.id.value == 0) continue;
    if (page.conversations.size() == limit) {
      page.next = last;
      break;
    }
    const auto summary = Summarize(store, account, std::span(*names).subspan(i));
    if (!summary && summary.error().code == storage::Errc::kNoSuchFolder) continue;  // deleted meanwhile
    if (!summary) return tl::unexpected(summary.error());
    page.conversations.push_back(ToJson(*summary));
    last = entry.path;
  }
  return page;
}

}  // namespace

asio::awaitable<void> ListConversations(Call& call, Services& services) {
  const auto limit = call.NumberQuery("limit", 100, kMaxPage);
  if (!limit || *limit == 0) {
    Refusal refusal{Status::bad_request, "invalid_argument", "\"limit\" must be a whole number, 1 to 1000"};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const auto after = protocol::CanonicalMailboxName(call.Query("after").value_or(""));
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto read = [&] { return ReadConversations(services.store, account->id, after, *limit); };
  auto page = co_await services.storage.Run(read);
  if (!page) {
    co_await call.Fail(std::move(page).error());
    co_return;
  }
  boost::json::object body;
  body["conversations"] = std::move(page->conversations);
  if (!page->next.empty()) body["next"] = page->next;
  co_await call.Reply(Status::ok, std::move(body));
}

}  // namespace server::http
