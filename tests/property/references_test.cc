// References in a random order of all that can happen to them, beside a model of which there are and which of
// them count; the checker looks at the rows after each round.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "storage/kv/engine.h"
#include "storage/store/reference.h"
#include "tests/support/random_rounds.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

constexpr std::uint32_t kMost = 6;

class Round {
 public:
  explicit Round(std::uint32_t seed) : random_(seed) {
    for (std::uint32_t i = 1; i <= 3; ++i)
      uids_.push_back(Must(Append(*store_, account_, "INBOX", {MessageOctets(i, 90)})).uids.front());
  }

  void Step() {
    switch (Below(random_, 8)) {
      case 0:
      case 1: return Add();
      case 2:
      case 3: return Fetch();
      case 4: return TakeBack();
      case 5: return Revoke();
      case 6: return Wait();
      default:
        if (Chance(random_, 3)) Expunge();
    }
  }

  void Check() {
    std::size_t counted = 0;
    std::vector<std::uint64_t> listed;
    for (const auto& one : Must(store_->ListReferences(account_, 0, 1000))) {
      listed.push_back(one.id);
      ASSERT_TRUE(expected_.contains(one.id)) << one.id;
      const auto& model = expected_.at(one.id);
      EXPECT_EQ(one.over != 0, model.over) << one.id;
      EXPECT_EQ(one.fetches, model.fetches) << one.id;
      counted += model.over ? 0U : 1U;
    }
    EXPECT_EQ(counted, Counted());
    EXPECT_LE(listed.size(), std::size_t{2 * kMost});
    for (const auto& [id, model] : expected_)
      EXPECT_TRUE(model.over || std::ranges::binary_search(listed, id)) << id << " is gone before its time";
  }

 private:
  struct Model {
    bool one_time = false;
    bool revoked = false;
    bool over = false;
    std::uint64_t fetches = 0;
    std::int64_t expires = 0;
    std::int64_t forget = 0;
    storage::Uid uid;
  };

  std::int64_t Now() const { return std::chrono::system_clock::to_time_t(store_.clock.Now()); }
  std::uint64_t AnyId() { return 1 + Below(random_, last_ + 1); }
  std::size_t Counted() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(expected_, [](const auto& one) { return !one.second.over; }));
  }
  static bool Stands(const Model& model, std::int64_t now) { return !model.over && now <= model.expires; }
  /// Null also if the store has forgotten what it may forget.
  Model* Find(std::uint64_t id) {
    const auto at = expected_.find(id);
    if (at == expected_.end()) return nullptr;
    const bool there = Must(store_->FindReference(account_, id)).has_value();
    if (there) return &at->second;
    EXPECT_TRUE(!Stands(at->second, Now())) << id << " stood, and is gone";
    expected_.erase(at);
    return nullptr;
  }
  void End(Model& model) const {
    if (model.over) return;
    model.over = true;
    model.forget = std::min(Now(), model.expires) + storage::kReferenceMemory;
  }

  void Add() {
    storage::schema::ReferenceRow row;
    row.folder = inbox_.folder;
    row.uid = uids_[Below(random_, uids_.size())];
    row.one_time = Chance(random_, 50);
    row.expires = Now() + 1 + Below(random_, 2 * storage::kReferenceMemory);
    row.key_check = "01234567";
    const std::vector<storage::schema::ReferenceRow> rows(1 + Below(random_, 3), row);
    // What the store has forgotten before its time was over, or had expired and made room.
    std::erase_if(expected_, [&](const auto& one) {
      return !Stands(one.second, Now()) && !Must(store_->FindReference(account_, one.first));
    });
    const bool fits = Counted() + rows.size() <= kMost;
    const auto added = store_->AddReferences(account_, rows);
    ASSERT_EQ(added.has_value(), fits);
    if (!added) return;
    for (const auto& one : *added) {
      ASSERT_GT(one.id, last_);
      last_ = static_cast<std::uint32_t>(one.id);
      expected_[one.id] = {.one_time = row.one_time,
                           .expires = row.expires,
                           .forget = row.expires + storage::kReferenceMemory,
                           .uid = row.uid};
    }
    std::erase_if(expected_, [&](const auto& one) {
      return !Stands(one.second, Now()) && !Must(store_->FindReference(account_, one.first));
    });
  }
  void Fetch() {
    const auto id = AnyId();
    Model* model = Find(id);
    const bool good = model != nullptr && Stands(*model, Now());
    ASSERT_EQ(!Must(store_->NoteFetches(account_, {id})), good);
    if (!good) return;
    ++model->fetches;
    if (model->one_time) End(*model);
  }
  void TakeBack() {
    const auto id = AnyId();
    Model* model = Find(id);
    Must(store_->TakeBackFetches(account_, {id}));
    if (model == nullptr || model->fetches == 0) return;
    --model->fetches;
    if (!model->one_time || model->revoked) return;
    model->over = false;
    model->forget = model->expires + storage::kReferenceMemory;
  }
  void Revoke() {
    const auto id = AnyId();
    Model* model = Find(id);
    Must(store_->RevokeReference(account_, id));
    if (model == nullptr) return;
    model->revoked = true;
    End(*model);
  }
  void Wait() {
    store_.clock.Advance(std::chrono::seconds(Below(random_, storage::kReferenceMemory / 2)));
    store_->ReapDue();
    std::erase_if(expected_, [&](const auto& one) { return one.second.forget <= Now(); });
  }
  void Expunge() {
    auto& uid = uids_[Below(random_, uids_.size())];
    const storage::UidSet one(uid, uid);
    Must(store_->UpdateFlags(inbox_, one, {protocol::FlagChange::Op::kAdd, Flags({"\\Deleted"})}));
    Must(store_->Expunge(inbox_, one));
    store_->DrainJanitor();
    std::erase_if(expected_, [&](const auto& at) { return at.second.uid == uid; });
    uid = Must(Append(*store_, account_, "INBOX", {MessageOctets(9, 90)})).uids.front();
  }

  static storage::StoreOptions Options() {
    auto options = PlainMail();
    options.max_references = kMost;
    return options;
  }

  Random random_;
  TempStore store_{Driver::kMemory, Options()};
  storage::AccountId account_ = CreateAccount(*store_);
  storage::FolderRef inbox_ = Must(store_->GetFolder(account_, "INBOX")).ref;
  std::vector<storage::Uid> uids_;
  std::map<std::uint64_t, Model> expected_;
  std::uint32_t last_ = 0;
};

TEST(References, CountWhatStandsWhateverHappensToThem) {
  PlayRounds(30, [](std::uint32_t seed) {
    SCOPED_TRACE(seed);
    Round round(seed);
    for (int i = 0; i < 200 && !testing::Test::HasFailure(); ++i) {
      round.Step();
      round.Check();
    }
  });
}

}  // namespace
}  // namespace tests
