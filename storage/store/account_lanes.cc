#include "storage/store/account_lanes.h"

#include <exception>

#include "storage/memory_only.h"

namespace storage {
namespace {

// A commit this large is synced at a good price already; what waits goes into the next.
constexpr std::size_t kFullKeys = 1000;
constexpr std::size_t kFullBytes = 4 << 20;

}  // namespace

/// Keeps a lane in the map while somebody uses it.
class AccountLanes::Hold {
 public:
  Hold(Shard& shard, AccountId account) : shard_(shard), account_(account) {
    const std::scoped_lock lock(shard_.mutex);
    auto& lane = shard_.lanes[account_];
    if (!lane) lane = std::make_unique<Lane>();
    lane_ = lane.get();
    ++lane_->users;
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() {
    const std::scoped_lock lock(shard_.mutex);
    if (--lane_->users == 0) shard_.lanes.erase(account_);
  }
  Lane& lane() { return *lane_; }

 private:
  Shard& shard_;
  AccountId account_;
  Lane* lane_;
};

Result<> AccountLanes::Run(AccountId account, const Operation& operation, Sharing sharing) {
  RETURN_IF_ERROR(MemoryOnly::MayWait());
  Hold hold(shards_[account.value % kShards], account);
  Lane& lane = hold.lane();
  Waiting me{&operation, sharing, {}, false};

  std::unique_lock lock(lane.mutex);
  lane.queue.push_back(&me);
  while (!me.done) {
    if (lane.busy) {
      lane.turn.wait(lock);
      continue;
    }
    // Whoever finds the lane free commits for all who wait; it may take a group or two until its own turn
    // comes.
    lane.busy = true;
    const Group group = TakeGroup(lane.queue);
    lock.unlock();
    CommitGroup(account, {group.waiting.data(), group.size});
    lock.lock();
    for (std::size_t i = 0; i < group.size; ++i) group.waiting[i]->done = true;
    lane.busy = false;
    lane.turn.notify_all();
  }
  return std::move(me.result);
}

AccountLanes::Group AccountLanes::TakeGroup(std::vector<Waiting*>& queue) noexcept {
  Group group;
  const bool shared = queue.front()->sharing == Sharing::kShared;
  do {
    group.waiting[group.size] = queue[group.size];
    ++group.size;
  } while (shared && group.size < queue.size() && group.size < kMaxGroup &&
           queue[group.size]->sharing == Sharing::kShared);
  queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(group.size));
  return group;
}

void AccountLanes::CommitGroup(AccountId account, std::span<Waiting* const> group) noexcept {
  for (std::size_t next = 0; next < group.size();) {
    const std::size_t first = next;
    try {
      next += CommitSome(account, group.subspan(first));
    } catch (...) {
      // Out of memory, most likely: nothing of this commit is there, and nobody may wait for ever.
      for (next = first; next < group.size(); ++next) group[next]->result = Fail(Errc::kUnavailable);
    }
  }
}

std::size_t AccountLanes::CommitSome(AccountId account, std::span<Waiting* const> group) {
  AccountTxn::Commit commit;
  commit.deleted_grace = hooks_.deleted_grace;
  commit.moved = &moved_;
  std::vector<Waiting*> joined;
  std::size_t taken = 0;
  for (; taken < group.size() && commit.batch.size() < kFullKeys && commit.batch.bytes() < kFullBytes;
       ++taken) {
    Waiting* waiting = group[taken];
    AccountTxn txn(engine_, account, now_(), commit);
    // Another caller's operation must not end this thread's call.
    try {
      waiting->result = (*waiting->operation)(txn);
    } catch (const std::exception& e) {
      waiting->result = Fail(Errc::kUnavailable, e.what());
    }
    if (!waiting->result) continue;
    txn.Join();
    joined.push_back(waiting);
  }
  if (auto done = CommitTogether(account, commit); !done) {
    for (Waiting* waiting : joined) waiting->result = done;
  }
  return taken;
}

Result<> AccountLanes::CommitTogether(AccountId account, AccountTxn::Commit& commit) {
  for (const auto& change : commit.pages) hooks_.pages(change);
  if (!commit.batch.empty()) {
    RETURN_IF_ERROR(
        engine_.Apply(commit.batch, commit.must_sync ? kv::Durability::kNow : kv::Durability::kBeforeNext));
  }
  if (commit.first_due) hooks_.due(account, *commit.first_due);
  for (const auto& intent : commit.left) hooks_.left(intent);
  for (const auto& change : commit.changes) feed_.Publish(change);
  return {};
}

}  // namespace storage
