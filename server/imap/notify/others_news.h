#pragma once

#include <memory>
#include <vector>

#include "server/imap/notify/account_news.h"
#include "storage/store/mail_store.h"

namespace server::imap::notify {

/// What a session hears of other users' mailboxes (RFC 5465 with RFC 4314): of the accounts that share some
/// which its filters watch, or in which they name one. Made when filters may watch any, so that a session
/// that does not ask for others' costs nothing.
///
/// Lifetime   as long as the filters are in force; store and filters outlive it.
/// Thread     the pool's during Look(), while the session waits for it; the session's otherwise.
class OthersNews {
 public:
  OthersNews(storage::MailStore& store, storage::Actor guest, net::Waker wake,
             std::shared_ptr<const Filters> filters)
      : store_(store), guest_(std::move(guest)), wake_(std::move(wake)), filters_(std::move(filters)) {}
  OthersNews(const OthersNews&) = delete;

  /// Hears of the accounts that are to be watched by now, besides those that are. `is_news`: mailboxes of new
  /// ones are told. kLimit: there are more than kNotifyAccounts. Blocks.
  storage::Result<> Look(bool is_news);

  /// What may be seen of all accounts; of those that are watched as the news have told. Blocks.
  storage::Result<std::vector<storage::SharedFolder>> Shared() const;
  const std::vector<std::unique_ptr<AccountNews>>& accounts() const { return accounts_; }
  /// nullptr: it is not watched.
  AccountNews* Of(storage::AccountId account) const;

  bool NeedsStore() const;
  /// The next news wake the session. True: there are some already.
  bool Arm();
  void Disarm();

 private:
  storage::MailStore& store_;
  const storage::Actor guest_;
  const net::Waker wake_;
  const std::shared_ptr<const Filters> filters_;
  std::vector<std::unique_ptr<AccountNews>> accounts_;
};

}  // namespace server::imap::notify
