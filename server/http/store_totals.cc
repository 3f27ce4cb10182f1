#include "server/http/store_totals.h"

namespace server::http {

storage::Result<boost::json::object> CountStore(storage::MailStore& store) {
  constexpr std::size_t kPage = 1000;
  std::uint64_t accounts = 0;
  std::uint64_t folders = 0;
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
  for (storage::AccountId after{};;) {
    const auto page = store.ListAccounts(after, kPage);
    if (!page) return tl::unexpected(page.error());
    for (const auto& account : *page) {
      ++accounts;
      folders += account.folders;
      messages += account.used_messages;
      octets += account.used_octets;
    }
    if (page->size() < kPage) break;
    after = page->back().id;
  }
  boost::json::object engine;
  for (const auto& statistic : store.engine().Stats()) engine[statistic.name] = statistic.value;
  boost::json::object out;
  out["accounts"] = accounts;
  out["folders"] = folders;
  out["messages"] = messages;
  out["octets"] = octets;
  out["engine"] = std::move(engine);
  return out;
}

}  // namespace server::http
