// Keys of URLAUTH (RFC 4467) as the store keeps them: one a folder, found by the names that the folder had.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/kv/engine.h"
#include "storage/memory_only.h"
#include "storage/schema/url_keys.h"
#include "tests/support/counting_engine.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using storage::Errc;
using storage::FolderRef;
using testing::ElementsAre;
using testing::IsEmpty;

class UrlKeysTest : public testing::Test {
 protected:
  FolderRef Make(std::string_view path) { return Must(store->CreateFolder(account, path, {})).ref; }
  static std::string Key(char c) { return std::string(storage::schema::kUrlKeyOctets, c); }
  /// First octets of the keys that a path finds.
  std::string Found(std::string_view path) {
    std::string out;
    for (const auto& folder : KeyedFolders(*store, account, path)) out += folder.key[0];
    return out;
  }
  std::size_t Rows() {
    std::size_t rows = 0;
    Must(store.engine().OpenView()->Scan(storage::kv::Table::kUrlKeys, {}, {},
                                         [&](auto, auto) { return ++rows > 0; }));
    return rows;
  }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
};

TEST_F(UrlKeysTest, IsMadeOnceAndStays) {
  const FolderRef folder = Make("a");
  EXPECT_EQ(Found("a"), "");
  EXPECT_EQ(Must(store->UrlKey(folder, Key('1'))), Key('1'));
  EXPECT_EQ(Must(store->UrlKey(folder, Key('2'))), Key('1'));
  const auto found = KeyedFolders(*store, account, "a");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].ref, folder);
  EXPECT_EQ(found[0].uid_validity, Must(store->GetFolder(folder)).uid_validity);
}

TEST_F(UrlKeysTest, IsNotMadeByWhoMayNotWait) {
  const FolderRef folder = Make("a");
  {
    const storage::MemoryOnly here;
    EXPECT_EQ(ErrorOf(store->UrlKey(folder, Key('1'))), Errc::kUnavailable);
    EXPECT_TRUE(here.FellShort());
  }
  EXPECT_EQ(Rows(), 0U);
  EXPECT_EQ(Must(store->UrlKey(folder, Key('2'))), Key('2'));
  const storage::MemoryOnly here;
  EXPECT_EQ(Must(store->UrlKey(folder, Key('3'))), Key('2'));
  EXPECT_FALSE(here.FellShort());
}

TEST_F(UrlKeysTest, RefusesWhatIsNoKeyAndWhatIsNoFolder) {
  const FolderRef folder = Make("a");
  EXPECT_EQ(ErrorOf(store->UrlKey(folder, "short")), Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(store->ResetUrlKey(account, "a", "")), Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(store->UrlKey({account, {99}}, Key('1'))), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(store->ResetUrlKey(account, "b", Key('1'))), Errc::kNoSuchFolder);
  EXPECT_THAT(KeyedFolders(*store, account, std::string("a\0", 2)), IsEmpty());
  EXPECT_THAT(KeyedFolders(*store, account, "a\x01"), IsEmpty());
}

TEST_F(UrlKeysTest, WhoFoundItIsNotAskedAgain) {
  Must(store->UrlKey(Make("a"), Key('1')));
  Must(store->RenameFolder(account, "a", "b"));
  Must(store->UrlKey(Make("a"), Key('2')));
  std::string seen;
  Must(store->FindKeyed(account, "a", [&](const auto& folder) { return seen += folder.key[0], false; }));
  EXPECT_EQ(seen, "2");
  EXPECT_EQ(Found("a"), "21");
}

TEST_F(UrlKeysTest, FollowsItsFolderAndIsFoundByFormerNames) {
  Must(store->UrlKey(Make("a"), Key('1')));
  Make("a/below");
  Must(store->RenameFolder(account, "a", "b"));
  EXPECT_EQ(Found("a"), "1");
  EXPECT_EQ(Found("b"), "1");
  // What is made under the old name has a key of its own, and comes first.
  Must(store->UrlKey(Make("a"), Key('2')));
  EXPECT_EQ(Found("a"), "21");
  // Both had the name.
  Must(store->RenameFolder(account, "a", "c"));
  EXPECT_EQ(Found("a"), "12");
  Must(store->DeleteFolder(account, "c"));
  EXPECT_EQ(Found("a"), "1");
}

TEST_F(UrlKeysTest, InferiorsAreFoundByTheirFormerNames) {
  Make("a");
  Must(store->UrlKey(Make("a/below"), Key('1')));
  Must(store->RenameFolder(account, "a", "b"));
  EXPECT_EQ(Found("a/below"), "1");
  EXPECT_EQ(Found("a"), "");
}

TEST_F(UrlKeysTest, RemembersSoManyNames) {
  Must(store->UrlKey(Make("0"), Key('1')));
  for (int i = 0; i < 10; ++i) Must(store->RenameFolder(account, std::to_string(i), std::to_string(i + 1)));
  EXPECT_EQ(Found("1"), "");
  EXPECT_EQ(Found("2"), "1");
  EXPECT_EQ(Found("10"), "1");
  EXPECT_EQ(Rows(), 1 + storage::schema::kFormerPaths);
}

TEST_F(UrlKeysTest, OfManyThatHadTheNameTheNewestAreFound) {
  for (char c = '0'; c <= '9'; ++c) {
    Must(store->UrlKey(Make("a"), Key(c)));
    Must(store->RenameFolder(account, "a", std::string("was-a-") + c));
  }
  EXPECT_EQ(Found("a"), "23456789");
}

TEST_F(UrlKeysTest, ResetIsANewKeyUnderTheNameOfNow) {
  Must(store->UrlKey(Make("a"), Key('1')));
  Must(store->RenameFolder(account, "a", "b"));
  Must(store->ResetUrlKey(account, "b", Key('2')));
  EXPECT_EQ(Found("a"), "");
  EXPECT_EQ(Found("b"), "2");
}

TEST_F(UrlKeysTest, ResetOfAllLeavesNothing) {
  const auto other = CreateAccount(*store, "tel:+2");
  Must(store->UrlKey(Must(store->CreateFolder(other, "a", {})).ref, Key('9')));
  for (int i = 0; i < 120; ++i) Must(store->UrlKey(Make("f" + std::to_string(i)), Key('1')));
  Must(store->RenameFolder(account, "f0", "g"));
  Must(store->ResetUrlKeys(account));
  EXPECT_EQ(Found("f0") + Found("g") + Found("f119"), "");
  EXPECT_EQ(Rows(), 1U);
}

/// Hears of resets; after the first the engine writes no more, until it is told to again.
class ResetListener final : public storage::ChangeListener {
 public:
  explicit ResetListener(CountingEngine& engine) : engine_(engine) {}
  void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override {
    if (!std::holds_alternative<storage::UrlKeysReset>(change->what)) return;
    engine_.refuses = heard++ == 0;
  }
  int heard = 0;

 private:
  CountingEngine& engine_;
};

TEST(ResetOfAllKeys, ThatStopsHalfWayIsToldOfAndGoesOnWhenAskedAgain) {
  CountingEngine engine;
  auto store = Must(storage::MailStore::Open(engine, PlainMail()));
  const auto account = CreateAccount(*store);
  const std::string key(storage::schema::kUrlKeyOctets, 'k');
  for (int i = 0; i < 120; ++i)
    Must(store->UrlKey(Must(store->CreateFolder(account, "f" + std::to_string(i), {})).ref, key));
  const auto left = [&] {
    int keys = 0;
    for (int i = 0; i < 120; ++i)
      keys += static_cast<int>(KeyedFolders(*store, account, "f" + std::to_string(i)).size());
    return keys;
  };
  engine.refuses = true;
  EXPECT_EQ(ErrorOf(store->ResetUrlKeys(account)), Errc::kUnavailable);
  EXPECT_EQ(left(), 120);
  engine.refuses = false;

  ResetListener listener(engine);
  const auto subscription = store->feed().Subscribe(account, listener);
  const auto half = store->ResetUrlKeys(account);
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code, Errc::kPartlyDone);
  EXPECT_THAT(half.error().detail, testing::HasSubstr(std::to_string(120 - left()) + " mailboxes"));
  EXPECT_LT(left(), 120);
  EXPECT_EQ(listener.heard, 1);
  engine.refuses = false;
  Must(store->ResetUrlKeys(account));
  EXPECT_EQ(left(), 0);
  // Of none there is news too: once.
  const int before = listener.heard;
  Must(store->ResetUrlKeys(account));
  EXPECT_EQ(listener.heard, before + 1);
}

TEST_F(UrlKeysTest, EndsWithItsFolderAndItsAccount) {
  Must(store->UrlKey(Make("a"), Key('1')));
  Must(store->RenameFolder(account, "a", "b"));
  Must(store->DeleteFolder(account, "b"));
  EXPECT_EQ(Rows(), 0U);
  Must(store->UrlKey(Make("c"), Key('1')));
  Must(store->RenameFolder(account, "c", "d"));
  Must(store->DeleteAccount(account));
  store->DrainJanitor();
  EXPECT_EQ(Rows(), 0U);
}

}  // namespace
}  // namespace tests
