#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <variant>

#include "server/net/stream.h"
#include "storage/store/change_feed.h"

namespace server::imap {

/// Hears that the account of a session is disabled or deleted, and wakes the session. For every session that
/// is logged in, so it is small: with its place in the feed about 250 octets.
///
/// Lifetime   on the heap, because the feed knows it by its address.
/// Thread     OnChange() any; the rest the session's.
class AccountWatch final : public storage::ChangeListener {
 public:
  AccountWatch(storage::ChangeFeed& feed, storage::AccountId account, net::Waker wake)
      : wake_(std::move(wake)), subscription_(feed.Subscribe(account, *this)) {}
  AccountWatch(const AccountWatch&) = delete;

  void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override {
    if (!std::holds_alternative<storage::AccountClosed>(change->what)) return;
    closed_ = true;
    wake_();
  }

  bool closed() const { return closed_; }

 private:
  const net::Waker wake_;
  std::atomic<bool> closed_{false};
  storage::ChangeFeed::Subscription subscription_;  ///< ends before what it calls
};

}  // namespace server::imap
