#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using storage::FolderId;
using storage::FolderName;
using storage::FolderStatus;
using testing::ElementsAre;
using testing::IsEmpty;

class NamesTest : public testing::Test {
 protected:
  void Create(std::initializer_list<const char*> paths) {
    for (const char* path : paths) Must(store->CreateFolder(account, path, {}));
  }
  void Subscribe(std::initializer_list<const char*> paths) {
    for (const char* path : paths) Must(store->Subscribe(account, path));
  }
  /// "path" and what is said of it: '+' children, '!' subscribed, '?' not named, '<' and its superior.
  std::vector<std::string> Names(const storage::NamesScope& scope) {
    const auto read = Must(store->ReadNames(account, scope));
    std::vector<std::string> out;
    for (const auto& name : read.names()) {
      out.push_back(std::string(name.path) + (name.has_children ? "+" : "") + (name.subscribed ? "!" : "") +
                    (name.named ? "" : "?"));
      if (name.superior != FolderName::kNone)
        out.back() += "<" + std::string(read.names()[name.superior].path);
    }
    return out;
  }
  FolderId IdOf(std::string_view path) { return Must(store->GetFolder(account, path)).ref.folder; }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
};

TEST_F(NamesTest, SuperiorsComeFirstAndKnowTheirChildren) {
  Create({"a", "a/b", "a/b/c", "a b", "aa"});
  EXPECT_THAT(Names({}), ElementsAre("INBOX", "a+", "a/b+<a", "a/b/c<a/b", "a b", "aa"));
  EXPECT_THAT(Names({.prefix = "a/"}), ElementsAre("a/b+", "a/b/c<a/b"));
  EXPECT_THAT(Names({.prefix = "aa"}), ElementsAre("aa"));
  EXPECT_THAT(Names({.prefix = "x"}), IsEmpty());
  EXPECT_THAT(Names({.prefix = std::string("a\x01")}), IsEmpty()) << "is no path";
}

TEST_F(NamesTest, SubscribedNamesAndTheirSuperiorsAreMergedIn) {
  Create({"a", "b/c"});
  Subscribe({"INBOX", "a/x", "b/c", "b/d/e", "zz/y"});
  EXPECT_THAT(Names({.subscriptions = true}), ElementsAre("INBOX!", "a", "a/x!?<a", "b+", "b/c!<b", "b/d?<b",
                                                          "b/d/e!?<b/d", "zz?", "zz/y!?<zz"));
  EXPECT_THAT(Names({}), ElementsAre("INBOX", "a", "b+", "b/c<b"));
  Must(store->DeleteFolder(account, "a"));
  EXPECT_THAT(Names({.prefix = "a", .subscriptions = true}), ElementsAre("a?", "a/x!?<a"));
}

TEST_F(NamesTest, StatusesAreThoseOfGetFolder) {
  Create({"a", "b", "c"});
  Must(Append(*store, account, "b", {"x", "yy"}));
  Must(Append(*store, account, "c", {"x"}, {"\\Seen"}));
  const auto read = Must(store->ReadNames(account, {}));
  const std::vector<FolderId> folders{IdOf("INBOX"), IdOf("b"), IdOf("c")};
  std::vector<FolderStatus> statuses;
  Must(read.Statuses(folders, {.recent = true},
                     [&](const FolderStatus& status) { statuses.push_back(status); }));
  ASSERT_EQ(statuses.size(), 3U);
  for (const auto& status : statuses) {
    const auto expected = Must(store->GetFolder(status.ref, {.recent = true}));
    EXPECT_EQ(status.path, "");
    EXPECT_EQ(status.kind, expected.kind);
    EXPECT_EQ(status.highest_modseq, expected.highest_modseq);
    EXPECT_EQ(status.messages, expected.messages);
    EXPECT_EQ(status.unseen, expected.unseen);
    EXPECT_EQ(status.octets, expected.octets);
    EXPECT_EQ(status.recent, expected.recent);
    EXPECT_EQ(status.uid_next, expected.uid_next);
    EXPECT_EQ(status.uid_validity, expected.uid_validity);
  }
  EXPECT_EQ(statuses[1].recent, 2U);
}

TEST_F(NamesTest, StatusesAreAsOfTheMomentOfTheNames) {
  Create({"a"});
  const FolderId a = IdOf("a");
  const auto read = Must(store->ReadNames(account, {}));
  Must(Append(*store, account, "a", {"x"}));
  Must(store->DeleteFolder(account, "a"));
  int visited = 0;
  Must(read.Statuses(std::vector{a}, {}, [&](const FolderStatus& status) {
    EXPECT_EQ(status.messages, 0U);
    ++visited;
  }));
  EXPECT_EQ(visited, 1);
}

TEST_F(NamesTest, FarApartFoldersAreReadOneByOne) {
  for (int i = 0; i < 100; ++i) Create({fmt::format("f{}", i).c_str()});
  const std::vector<FolderId> folders{IdOf("f0"), IdOf("f99")};
  const auto read = Must(store->ReadNames(account, {}));
  std::vector<FolderId> visited;
  Must(read.Statuses(folders, {}, [&](const FolderStatus& status) { visited.push_back(status.ref.folder); }));
  EXPECT_EQ(visited, folders);
}

TEST_F(NamesTest, OneNameIsFoundAsAllAre) {
  Create({"a/b", "ab"});
  Must(store->CreateFolder(account, "drafts", protocol::SpecialUse::kDrafts));
  Must(store->DeleteFolder(account, "a"));
  Subscribe({"a/b", "later"});
  const auto read = Must(store->ReadNames(account, {.subscriptions = true}));
  EXPECT_EQ(read.names().size(), 6U);
  for (const auto& name : read.names()) {
    const auto found = Must(store->FindName(account, name.path));
    EXPECT_EQ(found.path, name.path);
    EXPECT_EQ(found.id, name.id) << name.path;
    EXPECT_EQ(found.kind, name.kind) << name.path;
    EXPECT_EQ(found.use, name.use) << name.path;
    EXPECT_EQ(found.named, name.named) << name.path;
    EXPECT_EQ(found.has_children, name.has_children) << name.path;
    EXPECT_EQ(found.subscribed, name.subscribed) << name.path;
  }
  for (const std::string path : {"x", "", "a/", "A", "a\x01"}) {
    const auto found = Must(store->FindName(account, path));
    EXPECT_FALSE(found.named || found.has_children || found.subscribed) << path;
  }
}

TEST_F(NamesTest, ADeletedAccountHasNone) {
  Must(store->DeleteAccount(account));
  EXPECT_EQ(ErrorOf(store->FindName(account, "INBOX")), storage::Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(store->ReadNames(account, {})), storage::Errc::kNoSuchAccount);
}

}  // namespace
}  // namespace tests
