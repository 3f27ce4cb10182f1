// What a session is told of its account: NOTIFY (RFC 5465), METADATA (RFC 5464 §4.4).
#include <algorithm>

#include <spdlog/spdlog.h>

#include "server/imap/fetch/fetch_run.h"
#include "server/imap/notify/snapshot_run.h"
#include "server/imap/notify/teller.h"
#include "server/imap/session.h"

namespace server::imap {

using notify::AccountNews;
using protocol::FetchItem;
using protocol::NotifyEvent;

namespace {

bool Asks(const std::vector<FetchItem>& items, FetchItem::Kind kind) {
  return std::ranges::any_of(items, [&](const FetchItem& item) { return item.kind == kind; });
}

}  // namespace

void Session::EnableMetadata() {
  if (notifying()) return;
  static const auto all = std::make_shared<const notify::Filters>(std::vector<protocol::NotifyGroup>{
      {protocol::NotifyFilter::kPersonal,
       {NotifyEvent::kMailboxMetadataChange, NotifyEvent::kServerMetadataChange},
       {}}});
  Notify({.filters = all, .selected = {}, .in_force = false});
}

Session::Notification Session::Notify(Notification notification) {
  news_->Watch(notification.filters,
               notification.in_force ? AccountNews::WhenFull::kOverflow : AccountNews::WhenFull::kLeaveOut,
               role_);
  auto before = std::exchange(notification_, std::move(notification));
  if (selected_) TellNewsOfSelected(selected_->view->folder());
  WantOfView();
  return before;
}

AccountNews* Session::NewsOf(storage::AccountId account) const {
  if (account == account_) return news_.get();
  return notification_.others ? notification_.others->Of(account) : nullptr;
}

void Session::TellNewsOfSelected(storage::FolderRef folder) {
  const auto select = [&](AccountNews& news) {
    news.Select(news.account() == folder.account ? folder.folder : storage::FolderId{});
  };
  select(*news_);
  if (!notification_.others) return;
  for (const auto& news : notification_.others->accounts()) select(*news);
}

void Session::ForgetTold(const notify::SnapshotRun& run) {
  const auto forget = [&](AccountNews& news) {
    news.ForgetTold([&](storage::FolderId folder) { return run.Told({news.account(), folder}); });
  };
  forget(*news_);
  if (!notification_.others) return;
  for (const auto& news : notification_.others->accounts()) forget(*news);
}

storage::Result<std::vector<storage::SharedFolder>> Session::ListShared() const {
  if (notification_.others) return notification_.others->Shared();
  return services_.store.ListShared(principal());
}

void Session::WantOfView() {
  if (!selected_) return;
  MailboxView& view = *selected_->view;
  if (!notifying()) return view.Want(Wanted::kEverything, WantedOfNew::kNothing);
  const SelectedWatch* watch = notification_.selected.get();
  if (watch == nullptr) return view.Want(Wanted::kNothing, WantedOfNew::kNothing);
  const auto& items = watch->new_message_items;
  const WantedOfNew of_new = items.empty()                          ? WantedOfNew::kNothing
                             : Asks(items, FetchItem::Kind::kFlags) ? WantedOfNew::kItemsWithFlags
                                                                    : WantedOfNew::kItems;
  view.Want(watch->wanted, of_new);
}

asio::awaitable<void> Session::TellAccumulated() {
  if (selected_) selected_->view->Want(Wanted::kEverything, WantedOfNew::kNothing);
  if (!SyncFromMemory(ExpungePolicy::kAllowed, /*with_uid=*/false))
    co_await Sync(ExpungePolicy::kAllowed, /*with_uid=*/false);
}

ExpungePolicy Session::PushedExpunges() const {
  const SelectedWatch* watch = notification_.selected.get();
  return watch != nullptr && watch->expunges_at_once ? ExpungePolicy::kAllowed : ExpungePolicy::kForbidden;
}

bool Session::PushFromMemory(ExpungePolicy policy) {
  if (!SyncFromMemory(policy, /*with_uid=*/false)) return false;
  // Who is gone before the next answer must not think that it was told of what is held back.
  TellLowerModSeq();
  return true;
}

asio::awaitable<void> Session::Push(ExpungePolicy policy) {
  co_await Sync(policy, /*with_uid=*/false);
  TellLowerModSeq();
}

bool Session::ArmNews() {
  if (selected_ && selected_->view->wanted() != Wanted::kNothing && selected_->inbox.Arm()) return true;
  if (news_->Arm()) return true;
  return notification_.others && notification_.others->Arm();
}

void Session::DisarmNews() {
  if (selected_) selected_->inbox.Disarm();
  if (news_) news_->Disarm();
  if (notification_.others) notification_.others->Disarm();
}

bool Session::TellNewsFromMemory() {
  if (!news_ || state_ == State::kLogout) return true;
  if (news_->NeedsStore() || (notification_.others && notification_.others->NeedsStore())) return false;
  AccountNews::News news = news_->Take();
  if (news.overflow) Overflow();
  if (!news.waiting) return true;
  notify::Teller teller(*this, *news.filters, wire_.out.text());
  if (!teller.Tell(*news.waiting)) Overflow();
  return true;
}

asio::awaitable<void> Session::TellNews() {
  if (!news_ || state_ == State::kLogout) co_return;
  AccountNews::News news = news_->Take();
  auto tell = [&]() -> storage::Result<> {
    notify::OthersNews* others = notification_.others.get();
    if (news.shared_changed && others != nullptr) {
      if (auto looked = others->Look(/*is_news=*/true); !looked) return looked;
    }
    const auto tell_one = [&](const AccountNews::News& one) -> storage::Result<> {
      if (!one.waiting) return {};
      return notify::Teller(*this, *one.filters, wire_.out.text()).Tell(*one.waiting);
    };
    if (auto told = tell_one(news); !told || others == nullptr) return told;
    for (const auto& account : others->accounts()) {
      const AccountNews::News one = account->Take();
      news.overflow = news.overflow || one.overflow;
      if (auto told = tell_one(one); !told) return told;
    }
    return {};
  };
  if (!news.waiting && !notification_.others) {
    if (news.overflow) Overflow();
    co_return;
  }
  const auto told = co_await services_.storage.Run(tell);
  if (!told) {
    services_.log.error("event=notify_failed conn={} account={} detail=\"{}\"", info_.id, account_.value,
                        told.error().detail);
  }
  if (!told || news.overflow) Overflow();
}

/// RFC 5465 §5.8: as after NOTIFY NONE.
void Session::Overflow() {
  if (!notifying()) return;
  services_.log.info("event=notify_overflow conn={} account={}", info_.id, account_.value);
  Notify({});
  protocol::WriteUntagged(
      wire_.out.text(),
      protocol::Ok(protocol::ResponseCode::kNotificationOverflow,
                   "Too much has happened; nothing is told until NOTIFY SET STATUS, which tells all"));
}

/// RFC 5465 §5.2, §7: new messages, as NOTIFY and the searches that they have come to want to see them, each
/// in one FETCH.
asio::awaitable<void> Session::SendArrived() {
  MailboxView& view = *selected_->view;
  const UidSet arrived = view.TakeArrived();
  std::vector<std::pair<std::vector<FetchItem>, UidSet>> wishes;
  arrived.ForEach([&](storage::Uid uid) {
    std::vector<FetchItem> items;
    if (view.wanted_of_new() != WantedOfNew::kNothing) items = notification_.selected->new_message_items;
    selected_->contexts.AddItems(uid, items);
    if (items.empty()) return;
    auto at = std::ranges::find(wishes, items, &std::pair<std::vector<FetchItem>, UidSet>::first);
    if (at == wishes.end()) at = wishes.insert(at, {std::move(items), UidSet()});
    at->second.Add(uid);
  });
  for (auto& [items, uids] : wishes) co_await SendNew(std::move(items), std::move(uids));
}

asio::awaitable<void> Session::SendNew(std::vector<FetchItem> items, UidSet uids) {
  protocol::command::Fetch fetch{.numbers = protocol::NumberKind::kUid, .items = std::move(items)};
  if (condstore_ && !Asks(fetch.items, FetchItem::Kind::kModSeq))
    fetch.items.push_back({.kind = FetchItem::Kind::kModSeq});
  // Nobody has read them: as if read-only, so that none becomes \Seen.
  FetchRun run(services_.store, *selected_->view, selected_->view->actor(), services_.clock,
               FetchPlan(fetch, /*read_only=*/true, fetch_form()), std::move(uids), wire_.out);
  auto produce = [&] { return run.Produce(); };
  for (;;) {
    const auto result = co_await services_.storage.Run(produce);
    if (!result) {
      services_.log.error("event=notify_failed conn={} account={} detail=\"{}\"", info_.id, account_.value,
                          result.error().detail);
      if (!run.between_answers()) wire_.stream().Close();
      co_return;
    }
    if (*result) co_return;
    const bool flushed = co_await wire_.out.Flush();
    if (!flushed) co_return;
  }
}

}  // namespace server::imap
