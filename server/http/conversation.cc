#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "protocol/model/mailbox_name.h"
#include "server/http/account_json.h"
#include "server/http/conversation_summary.h"
#include "server/http/object_page.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

constexpr std::size_t kPageObjects = 256;

storage::Result<ConversationSummary> Find(storage::MailStore& store, storage::AccountId account,
                                          const std::string& path) {
  const auto names = store.ListFolders(account);
  if (!names) return tl::unexpected(names.error());
  const auto at = std::ranges::find(*names, path, &storage::FolderEntry::path);
  if (at == names->end() || at->id.value == 0)
    return tl::unexpected(storage::Error{storage::Errc::kNoSuchFolder, path});
  return Summarize(store, account, std::span(*names).subspan(static_cast<std::size_t>(at - names->begin())));
}

/// All objects of one folder, each on a line of its own. False: the answer cannot be completed.
asio::awaitable<bool> SendObjects(Call& call, Services& services, storage::FolderRef folder, bool& first) {
  std::optional<storage::Uid> next = storage::Uid{1};
  while (next) {
    auto read = [&] {
      return ReadObjectPage(services.store, folder, {*next, protocol::kMaxUid}, kPageObjects);
    };
    const auto page = co_await services.storage.Run(read);
    if (!page && page.error().code == storage::Errc::kNoSuchFolder) co_return true;  // deleted meanwhile
    if (!page) co_return false;
    std::string out;
    for (const auto& object : page->objects) {
      out += (first ? "\n" : ",\n") + boost::json::serialize(object);
      first = false;
    }
    const bool sent = co_await call.Write(out);
    if (!sent) co_return false;
    next = page->next;
  }
  co_return true;
}

}  // namespace

asio::awaitable<void> ShowConversation(Call& call, Services& services) {
  const auto path = protocol::CanonicalMailboxName(call.Query("folder").value_or(""));
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto find = [&] { return Find(services.store, account->id, path); };
  auto summary = co_await services.storage.Run(find);
  if (!summary) {
    co_await call.Fail(std::move(summary).error());
    co_return;
  }
  boost::json::object head;
  head["account"] = account->address;
  head["conversation"] = ToJson(*summary);
  auto opening = boost::json::serialize(head);
  opening.pop_back();
  opening += ",\"objects\":[";

  bool sending = co_await call.StartStream("application/json");
  if (sending) sending = co_await call.Write(opening);
  bool first = true;
  // An answer under way can only be broken off: the missing last chunk tells the caller.
  if (sending) sending = co_await SendObjects(call, services, summary->folder.ref, first);
  for (std::size_t i = 0; sending && i < summary->sessions.size(); ++i)
    sending = co_await SendObjects(call, services, summary->sessions[i].ref, first);
  if (sending) sending = co_await call.Write("\n]}\n");
  if (sending) [[maybe_unused]]
    const bool ended = co_await call.EndStream();
}

}  // namespace server::http
