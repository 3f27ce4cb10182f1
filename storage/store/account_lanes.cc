#include "storage/store/account_lanes.h"

#include <exception>

namespace storage {
namespace {

// A commit this large is synced at a good price already; what waits goes into the next.
constexpr std::size_t kMaxGroup = 64;
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
    const auto group = TakeGroup(lane.queue);
    lock.unlock();
    CommitGroup(account, group);
    lock.lock();
    for (Waiting* waiting : group) waiting->done = true;
    lane.busy = false;
    lane.turn.notify_all();
  }
  return std::move(me.result);
}

std::vector<AccountLanes::Waiting*> AccountLanes::TakeGroup(std::vector<Waiting*>& queue) {
  std::size_t n = 1;
  if (queue.front()->sharing == Sharing::kShared) {
    while (n < queue.size() && n < kMaxGroup && queue[n]->sharing == Sharing::kShared) ++n;
  }
  const auto end = queue.begin() + static_cast<std::ptrdiff_t>(n);
  std::vector<Waiting*> group(queue.begin(), end);
  queue.erase(queue.begin(), end);
  return group;
}

void AccountLanes::CommitGroup(AccountId account, const std::vector<Waiting*>& group) {
  for (std::size_t i = 0; i < group.size();) {
    AccountTxn::Commit commit;
    std::vector<Waiting*> joined;
    for (; i < group.size() && commit.batch.size() < kFullKeys && commit.batch.bytes() < kFullBytes; ++i) {
      AccountTxn txn(engine_, account, now_(), commit);
      // Another caller's operation must not end this thread's call.
      try {
        group[i]->result = (*group[i]->operation)(txn);
      } catch (const std::exception& e) {
        group[i]->result = Fail(Errc::kUnavailable, e.what());
      }
      if (!group[i]->result) continue;
      txn.Join();
      joined.push_back(group[i]);
    }
    if (auto done = CommitTogether(commit); !done) {
      for (Waiting* waiting : joined) waiting->result = done;
    }
  }
}

Result<> AccountLanes::CommitTogether(AccountTxn::Commit& commit) {
  if (!commit.batch.empty()) {
    RETURN_IF_ERROR(
        engine_.Apply(commit.batch, commit.must_sync ? kv::Durability::kNow : kv::Durability::kBeforeNext));
  }
  for (const auto& change : commit.changes) feed_.Publish(change);
  return {};
}

}  // namespace storage
