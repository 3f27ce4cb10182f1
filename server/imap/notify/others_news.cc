#include "server/imap/notify/others_news.h"

#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>

#include "protocol/imap/limits.h"
#include "protocol/model/mailbox_name.h"
#include "server/imap/mailbox_place.h"

namespace server::imap::notify {

storage::Result<std::vector<storage::SharedFolder>> OthersNews::Shared() const {
  std::vector<storage::AccountId> watched;
  watched.reserve(accounts_.size());
  for (const auto& news : accounts_) watched.push_back(news->account());
  return store_.ListShared(*guest_.guest, watched);
}

storage::Result<> OthersNews::Look(bool is_news) {
  auto shared = Shared();
  if (!shared) return tl::unexpected(std::move(shared).error());
  std::set<std::string, std::less<>> subscribed;
  if (filters_->ask_subscriptions()) {
    const auto names =
        store_.ReadNames(guest_.guest->account, {.prefix = std::string(kOtherUsers), .subscriptions = true});
    if (!names) return tl::unexpected(names.error());
    for (const auto& name : names->names()) {
      if (name.subscribed) subscribed.emplace(name.path);
    }
  }
  const auto watched = [&](const storage::SharedFolder& folder) {
    if (filters_->Names(ForeignName(folder.owner))) return true;
    const std::string name = ForeignName(folder.owner, folder.path);
    const Watched what = filters_->Of(name, subscribed.contains(name));
    return what.snapshot || !what.events.empty();
  };
  const std::size_t known = accounts_.size();
  for (const auto& folder : *shared) {
    if (Of(folder.ref.account) != nullptr || !watched(folder)) continue;
    if (accounts_.size() == protocol::limits::kNotifyAccounts) {
      return storage::Fail(
          storage::Errc::kLimit,
          fmt::format("Mailboxes of at most {} other users are watched", protocol::limits::kNotifyAccounts));
    }
    accounts_.push_back(
        std::make_unique<AccountNews>(store_.feed(), folder.ref.account, guest_,
                                      ForeignName(folder.owner) + protocol::kHierarchyDelimiter, wake_));
    accounts_.back()->Watch(filters_, AccountNews::WhenFull::kOverflow);
  }
  if (accounts_.size() == known) return {};
  // Now that news come: what they are to be compared with.
  shared = Shared();
  if (!shared) return tl::unexpected(std::move(shared).error());
  for (const auto& folder : *shared) {
    if (auto* news = Of(folder.ref.account)) news->Learn(folder, is_news);
  }
  return {};
}

AccountNews* OthersNews::Of(storage::AccountId account) const {
  const auto at =
      std::ranges::find_if(accounts_, [&](const auto& news) { return news->account() == account; });
  return at == accounts_.end() ? nullptr : at->get();
}

bool OthersNews::NeedsStore() const {
  return std::ranges::any_of(accounts_, [](const auto& news) { return news->NeedsStore(); });
}

bool OthersNews::Arm() {
  return std::ranges::any_of(accounts_, [](const auto& news) { return news->Arm(); });
}

void OthersNews::Disarm() {
  for (const auto& news : accounts_) news->Disarm();
}

}  // namespace server::imap::notify
