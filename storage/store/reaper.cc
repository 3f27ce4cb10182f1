#include "storage/store/reaper.h"

#include <fmt/format.h>

#include "storage/schema/keys.h"
#include "storage/schema/rows.h"

namespace storage {
namespace {

using kv::Table;
using schema::ExpiryKey;

constexpr std::int64_t kDay = 24 * 60 * 60;

/// How long messages stay in folders of this kind; 0: for ever.
std::int64_t RetentionOf(const Retention& retention, FolderKind kind) {
  switch (kind) {
    case FolderKind::kInbox: return retention.inbox;
    case FolderKind::kUser: return retention.user;
    case FolderKind::kConversation: return retention.conversation;
    case FolderKind::kSession: return retention.session;
    case FolderKind::kDefault:
    case FolderKind::kRoot: return 0;  // they hold folders only
  }
  return 0;
}

std::int64_t Seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// The first row of each account that has any: one step an account.
Result<> FirstRows(kv::Engine& engine, const std::function<void(AccountId, std::int64_t)>& visit) {
  const auto view = engine.OpenView();
  std::string from;
  Result<> bad;
  for (bool more = true; more && bad;) {
    more = false;
    RETURN_IF_ERROR(view->Scan(Table::kExpiries, from, {}, [&](std::string_view key, std::string_view) {
      const auto at = ExpiryKey::Decode(key);
      if (!at) {
        bad = tl::unexpected<Error>(at.error());
        return false;
      }
      visit(at->account, at->due);
      // The kinds are ranges of their own, each with its first.
      from = kv::PrefixEnd(ExpiryKey::Prefix(at->account, at->kind));
      more = !from.empty();
      return false;
    }));
  }
  return bad;
}

}  // namespace

Reaper::~Reaper() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Reaper::HasPolicy() const {
  return options_.profile.retention.any() || options_.profile.deleted_grace != 0;
}

Result<> Reaper::Start() {
  RETURN_IF_ERROR(FirstRows(engine_, [&](AccountId account, std::int64_t due) { Add(account, due); }));
  if (HasPolicy()) next_round_ = options_.now();
  next_forget_ = options_.now() + kRound;  // there is enough to do at the start
  thread_ = std::thread([this] { Run(); });
  return {};
}

void Reaper::AddLocked(AccountId account, std::int64_t due) {
  const auto [at, fresh] = due_of_.try_emplace(account, due);
  if (!fresh) {
    if (at->second <= due) return;
    due_.erase({at->second, account});
    at->second = due;
  }
  due_.emplace(due, account);
}

void Reaper::Add(AccountId account, std::int64_t due) {
  bool sooner = false;
  {
    const std::scoped_lock lock(mutex_);
    sooner = due_.empty() || due < due_.begin()->first;
    AddLocked(account, due);
  }
  if (sooner) wake_.notify_one();
}

void Reaper::Drain() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++asked_;
  wake_.notify_one();
  idle_.wait(lock, [&] { return served_ >= mine || stop_; });
}

bool Reaper::Stopping() {
  const std::scoped_lock lock(mutex_);
  return stop_;
}

std::optional<AccountId> Reaper::TakeDue() {
  const std::scoped_lock lock(mutex_);
  if (stop_ || due_.empty() || due_.begin()->first > Seconds(options_.now())) return std::nullopt;
  const AccountId account = due_.begin()->second;
  due_.erase(due_.begin());
  due_of_.erase(account);
  return account;
}

std::chrono::milliseconds Reaper::Pause(Clock::time_point now) const {
  // Without anything else to wait for, to forget a while later does no harm.
  if (due_.empty() && !next_round_) return kRound;
  auto until = next_round_ ? std::min(*next_round_, next_forget_) : next_forget_;
  if (!due_.empty()) until = std::min(until, Clock::time_point{std::chrono::seconds(due_.begin()->first)});
  // The clock may be set, so it is looked at now and then.
  const auto ahead = std::chrono::ceil<std::chrono::milliseconds>(until - now);
  return std::clamp(ahead, std::chrono::milliseconds(1), options_.reaper_look);
}

void Reaper::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const std::uint64_t asked = asked_;
    const auto now = options_.now();
    const bool round = next_round_ && *next_round_ <= now;
    if (round) next_round_ = now + kRound;
    const bool forget = next_forget_ <= now;
    if (forget) next_forget_ = now + kForget;
    lock.unlock();
    ServeAllDue();
    if (round) Round();
    if (forget) Forget();
    lock.lock();
    if (round) first_round_ = false;
    served_ = asked;
    idle_.notify_all();
    const auto news = [&] { return stop_ || asked_ != asked; };
    if (news()) continue;
    if (due_.empty() || due_.begin()->first > Seconds(options_.now()))
      wake_.wait_for(lock, Pause(options_.now()));
  }
  idle_.notify_all();
}

void Reaper::ServeAllDue() {
  while (const auto account = TakeDue()) ServeDue(*account);
}

void Reaper::Carry(const Reaped& done) {
  if (done.intent) free_(*done.intent);
}

bool Reaper::MayRetry(AccountId account, const Error& error) {
  if (error.code == Errc::kNoSuchAccount || error.code == Errc::kNoSuchFolder) return false;
  if (error.code != Errc::kUnavailable) {
    options_.note(fmt::format("expiry in account {} is given up until the next start: {}", account.value,
                              error.detail));
    return false;
  }
  // Disk full, most likely: others would fail as well.
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, options_.janitor_retry, [&] { return stop_; });
  return !stop_;
}

void Reaper::ServeDue(AccountId account) {
  Reaped done;
  const auto reaped = lanes_.Run(account, [&](AccountTxn& txn) { return ReapDue(txn, done); });
  if (!reaped) {
    if (MayRetry(account, reaped.error())) Add(account, 0);
    return;
  }
  Carry(done);
  if (done.next_due) Add(account, *done.next_due);
}

void Reaper::Round() {
  for (AccountId last{}; !Stopping();) {
    std::optional<AccountId> account;
    const auto read =
        engine_.OpenView()->Scan(Table::kAccounts, schema::AccountKey{AccountId{last.value + 1}}.Encode(), {},
                                 [&](std::string_view key, std::string_view) {
                                   if (const auto at = schema::AccountKey::Decode(key)) account = at->account;
                                   return false;
                                 });
    if (!read || !account) return;
    last = *account;
    const auto looked = LookAt(last);
    if (!looked) static_cast<void>(MayRetry(last, looked.error()));  // the next round comes
    ServeAllDue();
  }
}

Result<> Reaper::LookAt(AccountId account) {
  struct Folder {
    FolderId id;
    std::int64_t keep = 0;
    bool deleted = false;
  };
  std::vector<Folder> folders;
  const std::string prefix = schema::AccountPrefix(account);
  RETURN_IF_ERROR(engine_.OpenView()->Scan(
      Table::kFolders, prefix, kv::PrefixEnd(prefix), [&](std::string_view key, std::string_view value) {
        const auto at = schema::FolderKey::Decode(key);
        const auto row = schema::FolderRow::Decode(value);
        if (!at || !row || row->messages == 0) return true;
        folders.push_back({at->folder,
                           RetentionOf(options_.profile.retention, static_cast<FolderKind>(row->kind)),
                           row->deleted != 0});
        return true;
      }));
  for (const auto& folder : folders) {
    // Later ones got a row in `expiries` with their flag.
    if (folder.deleted && first_round_ && options_.profile.deleted_grace != 0)
      RETURN_IF_ERROR(lanes_.Run(account, [&](AccountTxn& txn) { return CoverDeleted(txn, folder.id); }));
    if (folder.keep != 0)
      RETURN_IF_ERROR(ReapFolder(account, folder.id, Seconds(options_.now()) - folder.keep));
  }
  return {};
}

void Reaper::Forget() {
  const std::int64_t now = Seconds(options_.now());
  for (std::string from; !Stopping();) {
    std::optional<FolderRef> folder;
    const auto read =
        engine_.OpenView()->Scan(Table::kVanished, from, {}, [&](std::string_view key, std::string_view) {
          if (const auto at = schema::VanishedKey::Decode(key)) folder = FolderRef{at->account, at->folder};
          return false;
        });
    if (!read || !folder) return;
    const auto done = ForgetOf(*folder, {now - options_.profile.keep_vanished, now - kDay});
    if (!done) static_cast<void>(MayRetry(folder->account, done.error()));  // tomorrow
    from = kv::PrefixEnd(schema::FolderKey{folder->account, folder->folder}.Encode());
    if (from.empty()) return;
    ServeAllDue();
  }
}

Result<> Reaper::ForgetOf(FolderRef folder, VanishedAge age) {
  // Mostly there is nothing to do: no need for the lane.
  ASSIGN_OR_RETURN(const bool any, HasOldVanished(*engine_.OpenView(), folder, age));
  std::optional<ModSeq> from{ModSeq{0}};
  if (!any) from.reset();
  while (from && !Stopping()) {
    auto next = from;
    RETURN_IF_ERROR(lanes_.Run(folder.account, [&](AccountTxn& txn) {
      next = from;
      return TrimVanished(txn, folder.folder, age, next);
    }));
    from = next;
    ServeAllDue();
  }
  return {};
}

Result<> Reaper::ReapFolder(AccountId account, FolderId folder, std::int64_t until) {
  // Mostly its first message is young enough: no need for the lane.
  const std::string prefix = schema::FolderKey{account, folder}.Encode();
  bool any = false;
  RETURN_IF_ERROR(engine_.OpenView()->Scan(Table::kMessages, prefix, kv::PrefixEnd(prefix),
                                           [&](std::string_view, std::string_view value) {
                                             const auto row = schema::StoredMessage::Decode(value);
                                             any = row && row->save_date <= until;
                                             return false;
                                           }));
  std::optional<Uid> from{1};
  if (!any) from.reset();
  while (from && !Stopping()) {
    Reaped done;
    auto next = from;
    RETURN_IF_ERROR(lanes_.Run(account, [&](AccountTxn& txn) {
      next = from;
      return ReapOld(txn, folder, until, next, done);
    }));
    from = next;
    Carry(done);
    ServeAllDue();
  }
  return {};
}

}  // namespace storage
