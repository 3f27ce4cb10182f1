#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "storage/check/fsck.h"
#include "storage/kv/rocksdb_engine.h"
#include "storage/store/mail_store.h"
#include "storage/store/rights.h"
#include "tests/support/fault_fs.h"
#include "tests/support/sanitized.h"
#include "tests/support/store_model.h"
#include "tests/support/temp_folder.h"
#include "tests/support/temp_store.h"

// MailStore on RocksDB on a disk that fails: what was acknowledged stays, what was refused is not there, and
// every invariant holds.

namespace tests {
namespace {

using Kind = StoreOp::Kind;
using protocol::FlagChange;
using storage::AccountId;
using storage::MailStore;
using storage::kv::RocksEngine;

/// A store on a FaultFs.
class FaultyStore {
 public:
  FaultyStore() { Open(); }
  ~FaultyStore() { Close(); }

  MailStore& operator*() { return *store_; }
  MailStore* operator->() { return store_.get(); }

  void Close() {
    store_.reset();
    engine_.reset();
  }
  void Open() {
    storage::kv::RocksEngineOptions options;
    options.path = folder_.path() / "store";
    options.create_if_missing = true;
    options.block_cache_bytes = 8 << 20;
    options.write_buffer_bytes = 8 << 20;
    options.retry_pause = std::chrono::milliseconds(0);
    options.file_system = fs.file_system();
    engine_ = Must(RocksEngine::Open(options));
    // The clock stands still until a test moves it, so that dates can be compared.
    store_ = Must(MailStore::Open(*engine_, {.now = [this] { return clock.Now(); },
                                             .janitor_retry = std::chrono::milliseconds(1),
                                             .reaper_look = std::chrono::hours(1)}));
  }
  void PowerLoss(std::uint64_t torn_seed = 0) {
    Close();
    fs.DropUnsynced(torn_seed);
    Open();
  }
  void ExpectSound() {
    const auto report = storage::check::Fsck(*engine_);
    ASSERT_TRUE(report) << report.error().detail;
    for (const auto& violation : report->violations)
      ADD_FAILURE() << "invariant " << violation.invariant << ": " << violation.text;
  }

  FaultFs fs;
  FixedClock clock;

 private:
  TempFolder folder_;
  std::unique_ptr<RocksEngine> engine_;
  std::unique_ptr<MailStore> store_;
};

std::vector<StoreOp> Workload() {
  const auto add = FlagChange::Op::kAdd;
  // A long COPY that is refused leaves a gap in its target's UIDs: after it, nothing names single UIDs there.
  return {
      {.kind = Kind::kCreate, .path = "a/b"},
      {.kind = Kind::kAppend, .path = "INBOX", .count = 2, .flags = {"\\Seen", "$one"}},
      {.kind = Kind::kAppend, .path = "INBOX", .size = 700'000},
      {.kind = Kind::kAppend, .path = "a/b", .count = 120, .size = 60},
      {.kind = Kind::kFlags, .path = "INBOX", .last = 2, .op = add, .flags = {"\\Flagged", "$two"}},
      {.kind = Kind::kCopy, .path = "INBOX", .other = "a", .last = 50},
      {.kind = Kind::kMove, .path = "a/b", .other = "INBOX", .first = 3, .last = 9},
      {.kind = Kind::kFlags, .path = "INBOX", .last = 5, .op = add, .flags = {"\\Deleted"}},
      {.kind = Kind::kClaimRecent, .path = "INBOX"},
      {.kind = Kind::kExpunge, .path = "INBOX"},
      {.kind = Kind::kSubscribe, .path = "a"},
      {.kind = Kind::kCopy, .path = "a/b", .other = "a"},    // written ahead
      {.kind = Kind::kMove, .path = "a/b", .other = "a/b"},  // written ahead
      {.kind = Kind::kRename, .path = "a", .other = "c/d"},
      {.kind = Kind::kSetQuota, .limits = {.messages = 100'000}},
      {.kind = Kind::kAppend, .path = "c/d", .size = 300'000},
      {.kind = Kind::kDelete, .path = "c/d"},
      {.kind = Kind::kDelete, .path = "c/d/b"},
      {.kind = Kind::kUnsubscribe, .path = "a"},
      {.kind = Kind::kCreate, .path = "Default/g/s"},
      {.kind = Kind::kAppend, .path = "Default/g/s", .count = 2},
      {.kind = Kind::kRename, .path = "Default/g", .other = "old/g"},  // with its session
      {.kind = Kind::kDelete, .path = "old/g"},                        // likewise
      {.kind = Kind::kRename, .path = "INBOX", .other = "old/few"},
      {.kind = Kind::kSetQuota},
      {.kind = Kind::kAppend, .path = "INBOX", .count = 110, .size = 60},
      {.kind = Kind::kRename, .path = "INBOX", .other = "old/many"},  // written ahead
      {.kind = Kind::kAppend, .path = "INBOX", .count = 3},
  };
}

/// Each point is a store that is made, worked with, opened again and checked; under a sanitizer all of them
/// would take longer than the suite's time limit.
constexpr std::size_t kStride = kSanitized ? 7 : 1;

class PowerLoss : public testing::TestWithParam<Op> {};

TEST_P(PowerLoss, LeavesAllThatWasAcknowledgedAndNothingElse) {
  bool finished = false;
  std::size_t losses = 0;
  for (std::size_t n = 0; !finished; n += kStride * (GetParam() == Op::kSync ? 1 : 3)) {
    SCOPED_TRACE(testing::Message() << "power lost after " << n);
    FaultyStore store;
    const auto account = CreateAccount(*store);
    StorePlayer player(*store, account, 1'700'000'000);
    store.fs.FailAfter(GetParam(), n, Fault::kPowerLoss);
    AccountSeen before = player.model().Seen();
    std::string last;
    for (const auto& op : Workload()) {
      before = player.model().Seen();
      last = testing::PrintToString(op);
      EXPECT_EQ(player.Play(op), std::nullopt) << op;
      if (store.fs.power_is_off()) break;
    }
    finished = !store.fs.power_is_off();
    losses += finished ? 0 : 1;
    player.Detach();
    store.fs.CutPower();
    // Every other time, part of what was not synced is on the disk all the same.
    store.PowerLoss(n % 2 == 0 ? 0 : n);
    store.ExpectSound();
    // Nobody was told of the command that was running: it may be there as a whole, or not at all.
    const auto seen = See(*store, account);
    const auto with = Difference(player.model().Seen(), seen, Precision::kAfterFaults);
    const auto without = Difference(before, seen, Precision::kAfterFaults);
    EXPECT_TRUE(with.empty() || (!finished && without.empty())) << last << "\n" << with << "\n" << without;
    // It can be worked with.
    Must(Append(*store, account, "INBOX", {"more"}));
    store->DrainJanitor();
    store.ExpectSound();
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(losses, kSanitized ? 3U : 10U);
}
INSTANTIATE_TEST_SUITE_P(After, PowerLoss, testing::Values(Op::kSync, Op::kAny),
                         [](const auto& op) { return op.param == Op::kSync ? "Syncs" : "Operations"; });

struct FaultCase {
  std::string name;
  Op op;
  Fault fault;
  bool stays;  ///< until healed; otherwise it strikes once
};

/// The fault is gone: while the engine recovers commands are still refused, but not for ever.
std::optional<Errc> PlayUntilTaken(StorePlayer& player, const StoreOp& op) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (;;) {
    const auto done = player.Play(op);
    if (done != Errc::kUnavailable || std::chrono::steady_clock::now() > give_up) return done;
    std::this_thread::yield();
  }
}

class RefusedWrite : public testing::TestWithParam<FaultCase> {};

TEST_P(RefusedWrite, ChangesNothingAndLaterOnesSucceed) {
  const auto& param = GetParam();
  std::size_t refused = 0;
  bool struck = true;
  for (std::size_t n = 0; struck; n += kStride * (param.op == Op::kSync ? 2 : 3)) {
    SCOPED_TRACE(testing::Message() << "fault after " << n);
    FaultyStore store;
    const auto account = CreateAccount(*store);
    StorePlayer player(*store, account, 1'700'000'000);
    if (param.stays)
      store.fs.FailAfter(param.op, n, param.fault);
    else
      store.fs.FailOnce(param.op, n, param.fault);
    for (const auto& op : Workload()) {
      if (player.Play(op) != Errc::kUnavailable) continue;
      ++refused;
      // Reads go on while the fault lasts, and show nothing of what was refused.
      EXPECT_EQ(player.Compare(Precision::kAfterFaults), "") << op;
      store.fs.Heal();
      EXPECT_EQ(PlayUntilTaken(player, op), std::nullopt) << op << " is refused although the fault is gone";
    }
    struck = store.fs.failures() != 0;
    store.fs.Heal();
    EXPECT_EQ(PlayUntilTaken(player, {.kind = Kind::kAppend}), std::nullopt);
    store->DrainJanitor();
    EXPECT_EQ(player.Compare(Precision::kAfterFaults), "");
    store.ExpectSound();
    player.Detach();
    store.Close();
    store.Open();
    store->DrainJanitor();
    store.ExpectSound();
    player.Attach(*store);
    EXPECT_EQ(player.Compare(Precision::kAfterFaults), "");
    player.Detach();
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(refused, kSanitized ? 0U : 2U);
}
INSTANTIATE_TEST_SUITE_P(By, RefusedWrite,
                         testing::Values(FaultCase{"OneSyncError", Op::kSync, Fault::kIoError, false},
                                         FaultCase{"OneWriteError", Op::kWrite, Fault::kIoError, false},
                                         FaultCase{"OneTornWrite", Op::kWrite, Fault::kTornWrite, false},
                                         FaultCase{"FullDiskAtWrite", Op::kWrite, Fault::kNoSpace, true},
                                         FaultCase{"FullDiskAtSync", Op::kSync, Fault::kNoSpace, true}),
                         [](const auto& fault) { return fault.param.name; });

TEST(FullDisk, FoldersOpenAndAreRead) {
  FaultyStore store;
  const auto account = CreateAccount(*store);
  const auto inbox = Fill(*store, account, "INBOX", 5);
  store.fs.FailAfter(Op::kAny, 0, Fault::kNoSpace);
  EXPECT_EQ(ErrorOf(Append(*store, account, "INBOX", {"x"})), Errc::kUnavailable);
  const auto opened = store->OpenFolder(inbox, /*claim_recent=*/true);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->status.recent, 5U);
  EXPECT_EQ(OctetsOf(*store, inbox).size(), 5U);
  store.fs.Heal();
  Must(Append(*store, account, "INBOX", {"x"}));
}

TEST(FullDisk, BodyThatLostOctetsIsNotAppended) {
  FaultyStore store;
  const auto account = CreateAccount(*store);
  auto body = Must(store->Stage(account));
  Must(body.Write(std::string(300'000, 'a')));
  store.fs.FailAfter(Op::kAny, 0, Fault::kNoSpace);
  EXPECT_EQ(ErrorOf(body.Write(std::string(300'000, 'b'))), Errc::kUnavailable);
  store.fs.Heal();
  EXPECT_EQ(ErrorOf(body.Write("c")), Errc::kUnavailable);
  std::vector<storage::NewMessage> messages;
  messages.push_back({std::move(body), {}, {}});
  EXPECT_EQ(ErrorOf(store->Append(account, "INBOX", std::move(messages))), Errc::kUnavailable);
  store->DrainJanitor();
  store.ExpectSound();
}

TEST(FullDisk, KeysThatAreGoneAreAnnouncedAndNotCalledThere) {
  // Wherever the disk fills up while they are reset, some commits each.
  class Listener final : public storage::ChangeListener {
   public:
    void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override {
      heard = heard || std::holds_alternative<storage::UrlKeysReset>(change->what);
    }
    bool heard = false;
  };
  constexpr std::size_t kKeys = 120;
  std::set<storage::Errc> errors;
  bool done = false;
  for (std::size_t n = 0; !done; ++n) {
    FaultyStore store;
    const auto account = CreateAccount(*store);
    for (std::size_t i = 0; i < kKeys; ++i) {
      const auto folder = Must(store->CreateFolder(account, fmt::format("f{}", i), {})).ref;
      Must(store->UrlKey(folder, std::string(32, 'k')));
    }
    Listener listener;
    const auto subscription = store->feed().Subscribe(account, listener);
    store.fs.FailAfter(Op::kAny, n, Fault::kNoSpace);
    const auto reset = store->ResetUrlKeys(account);
    store.fs.Heal();
    done = reset.has_value();
    if (!done) errors.insert(reset.error().code);
    std::size_t left = 0;
    for (std::size_t i = 0; i < kKeys; ++i)
      left += KeyedFolders(*store, account, fmt::format("f{}", i)).size();
    EXPECT_EQ(left < kKeys, listener.heard) << n;
    EXPECT_EQ(left < kKeys, done || reset.error().code == Errc::kPartlyDone) << n;
    store.ExpectSound();
  }
  EXPECT_EQ(errors, (std::set<storage::Errc>{Errc::kUnavailable, Errc::kPartlyDone}));
}

TEST(PowerLossTest, AccessThatWasAcknowledgedOutlivesTheExpiry) {
  FaultyStore store;
  const AccountId account = CreateAccount(*store);
  const auto inbox = Must(store->GetFolder(account, "INBOX")).ref;
  for (std::uint32_t i = 0; i < 20; ++i) {
    std::vector<storage::NewMessage> messages;
    messages.push_back(NewMessage(*store, account, MessageOctets(i, 90)));
    messages.back().expiry = 1'700'000'100;
    Must(store->Append(account, "INBOX", std::move(messages), storage::Actor({}, storage::Role::kPf)));
  }
  std::vector<std::uint32_t> kept;
  for (std::uint32_t uid = 1; uid <= 20; uid += 3) {
    Must(store->NoteAccess(inbox, Uids({uid}), storage::Actor{}));
    kept.push_back(uid);
  }
  store.PowerLoss();
  store.ExpectSound();
  EXPECT_EQ(FlagsOf(*store, inbox).size(), 20U);
  store.clock.Advance(std::chrono::seconds(100));
  store->ReapDue();
  store.PowerLoss(7);
  store.ExpectSound();
  std::vector<std::uint32_t> left;
  for (const auto& [uid, flags] : FlagsOf(*store, inbox)) {
    left.push_back(uid);
    EXPECT_TRUE(flags.empty()) << uid << " is temporary still";
  }
  EXPECT_EQ(left, kept) << "what expired does not come back, what was accessed does not go";
}

/// Lists and grants lie in two commits: whichever of them power is lost between, each step is there or not.
TEST(PowerLossTest, AListAndItsGrantsAgreeAfterIt) {
  using protocol::Right;
  const protocol::RightsChange read{protocol::RightsChange::Op::kReplace, Right::kLookup | Right::kRead};
  const auto listed = [](MailStore& store, AccountId account) {
    std::set<std::string> paths;
    for (const auto& entry : Must(store.ListFolders(account))) {
      for (const auto& given : Must(store.GetAcl(account, entry.path))) {
        if (given.identifier == "tel:+2") paths.insert(entry.path);
      }
    }
    return paths;
  };
  std::size_t losses = 0;
  for (std::size_t n = 0;; n += kStride) {
    SCOPED_TRACE(testing::Message() << "power lost after " << n);
    FaultyStore store;
    const AccountId ann = CreateAccount(*store, "tel:+1");
    const AccountId bea = CreateAccount(*store, "tel:+2");
    const storage::Principal guest(bea, "tel:+2", {});
    for (const char* path : {"a", "b", "c"}) Must(store->CreateFolder(ann, path, {}));
    store.fs.FailAfter(Op::kAny, n, Fault::kPowerLoss);
    const auto acknowledged = [&](const auto& done) { return done.has_value() && !store.fs.power_is_off(); };
    const bool given = acknowledged(store->SetAcl(ann, "a", "tel:+2", read));
    static_cast<void>(store->SetAcl(ann, "b", "tel:+2", read));
    static_cast<void>(store->SetAcl(ann, "c", "tel:+2", read));
    static_cast<void>(store->CreateFolder(ann, "a/inherits", {}));
    const bool taken = acknowledged(store->DeleteAcl(ann, "b", "tel:+2"));
    static_cast<void>(store->DeleteFolder(ann, "c"));
    const bool finished = !store.fs.power_is_off();
    store.fs.CutPower();
    store.PowerLoss(n % 2 == 0 ? 0 : n);
    store.ExpectSound();
    store->DrainJanitor();
    store.ExpectSound();
    const auto paths = listed(*store, ann);
    if (given) EXPECT_TRUE(paths.contains("a"));
    if (taken) EXPECT_FALSE(paths.contains("b"));
    std::set<std::string> shared;
    for (const auto& folder : Must(store->ListShared(guest))) shared.insert(folder.path);
    EXPECT_EQ(shared, paths);
    // Whoever has the address later has none of it.
    Must(store->DeleteAccount(bea));
    EXPECT_TRUE(listed(*store, ann).empty());
    if (testing::Test::HasFailure() || finished) break;
    ++losses;
  }
  EXPECT_GT(losses, kSanitized ? 1U : 10U);
}

TEST(PowerLossTest, WhileSeveralThreadsWriteKeepsWhatWasAcknowledged) {
  constexpr int kThreads = 4;
  std::mt19937 random(20'240'229);
  for (int round = 0; round < (kSanitized ? 3 : 12); ++round) {
    SCOPED_TRACE(testing::Message() << "round " << round);
    FaultyStore store;
    std::vector<AccountId> accounts{CreateAccount(*store, "tel:+1"), CreateAccount(*store, "tel:+2")};
    store.fs.FailAfter(Op::kAny, 5 + random() % 400, Fault::kPowerLoss);
    using Messages = std::map<std::uint32_t, std::string>;
    std::vector<Messages> acknowledged(kThreads);
    std::vector<Messages> in_flight(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        const auto account = accounts[static_cast<std::size_t>(t % 2)];
        auto& mine = acknowledged[static_cast<std::size_t>(t)];
        for (std::uint32_t i = 0; i < 60; ++i) {
          const std::size_t size = i % 10 == 9 ? 600'000 : 300;
          const std::string octets = MessageOctets(static_cast<std::uint32_t>(t) * 1000 + i, size);
          const auto done = Append(*store, account, "INBOX", {octets});
          ASSERT_TRUE(done) << done.error().detail;
          if (store.fs.power_is_off()) {
            // Nobody was told.
            in_flight[static_cast<std::size_t>(t)][done->uids.front().value] = octets;
            return;
          }
          mine[done->uids.front().value] = octets;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    store.fs.CutPower();
    store.PowerLoss(random());
    store.ExpectSound();
    for (std::size_t t = 0; t < kThreads; ++t) {
      const auto inbox = Must(store->GetFolder(accounts[t % 2], "INBOX")).ref;
      auto there = OctetsOf(*store, inbox);
      for (const auto& [uid, octets] : acknowledged[t])
        EXPECT_TRUE(there.contains(uid) && there.at(uid) == octets) << "thread " << t << " UID " << uid;
      // The rest is another thread's, or was on its way when the power went; and that as a whole.
      for (const auto& other : {t, (t + 2) % kThreads}) {
        for (const auto& [uid, octets] : acknowledged[other]) there.erase(uid);
        for (const auto& [uid, octets] : in_flight[other]) {
          if (there.contains(uid)) EXPECT_EQ(there.at(uid), octets);
          there.erase(uid);
        }
      }
      EXPECT_TRUE(there.empty()) << there.size() << " messages that nobody sent";
    }
    store->DrainJanitor();
    store.ExpectSound();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace tests
