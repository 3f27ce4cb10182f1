#include "storage/store/model_rules.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

// The rules of spec note 1.1, 1.3 and 1.4, written out: one letter for each combination there is.
//
//   +  allowed     C  nobody may ([CANNOT])     P  the network and the operator may, clients may not
//   ([NOPERM])

namespace tests {
namespace {

namespace model = storage::model;
using model::Place;
using protocol::ObjectKind;
using storage::Errc;
using storage::FolderKind;
using storage::Profile;
using storage::Result;
using storage::Role;

/// The columns of the tables.
constexpr FolderKind kKinds[] = {FolderKind::kUser,    FolderKind::kInbox,        FolderKind::kRoot,
                                 FolderKind::kDefault, FolderKind::kConversation, FolderKind::kSession};
constexpr std::string_view kKindNames[] = {"user", "inbox", "root", "default", "conversation", "session"};
constexpr Role kRoles[] = {Role::kUser, Role::kSubmit, Role::kPf, Role::kOperator};

template <class F>
void ExpectVerdict(char expected, const std::string& what, const Profile& profile, F&& ask) {
  for (const Role role : kRoles) {
    const Result<> verdict = ask(model::Asker{role, profile});
    const bool client = role == Role::kUser || role == Role::kSubmit;
    const std::string at = what + ", role " + std::to_string(static_cast<int>(role));
    if (expected == '+' || (expected == 'P' && !client)) {
      EXPECT_TRUE(verdict) << at << ": " << verdict.error().detail;
      continue;
    }
    ASSERT_FALSE(verdict) << at;
    EXPECT_EQ(verdict.error().code, expected == 'C' ? Errc::kNotAllowed : Errc::kNoPermission) << at;
    EXPECT_GT(verdict.error().detail.size(), 20U) << at << ": a refusal says the rule";
  }
}

/// One letter for each superior or target, in the order of kKinds.
template <class Row, class Ask>
void ExpectTable(const std::map<Row, std::string>& table, const Profile& profile, const Place& place,
                 Ask&& ask) {
  for (const auto& [row, letters] : table) {
    ASSERT_EQ(letters.size(), std::size(kKinds));
    for (std::size_t i = 0; i < std::size(kKinds); ++i) {
      Place target = place;
      target.kind = kKinds[i];
      ExpectVerdict(letters[i],
                    "row " + std::to_string(static_cast<int>(row)) + " to " + std::string(kKindNames[i]),
                    profile, [&](const model::Asker& asker) { return ask(row, target, asker); });
    }
  }
}

// Columns: user, inbox, root, default, conversation, session.
const std::map<FolderKind, std::string> kCreate{
    {FolderKind::kUser, "+++CCC"},  {FolderKind::kConversation, "++++CC"}, {FolderKind::kSession, "CCCC+C"},
    {FolderKind::kInbox, "+++CCC"}, {FolderKind::kDefault, "+++CCC"},      {FolderKind::kRoot, "+++CCC"},
};
const std::map<FolderKind, std::string> kRenameElsewhere{
    {FolderKind::kUser, "+++CCC"},  {FolderKind::kConversation, "+++CCC"}, {FolderKind::kSession, "CCCCCC"},
    {FolderKind::kInbox, "+++CCC"}, {FolderKind::kDefault, "CCCCCC"},      {FolderKind::kRoot, "CCCCCC"},
};
// A conversation keeps its name in the default folder, and has its owner's where it is kept. Where a folder
// of the row's kind cannot lie the letter is of no interest, but it is not "+" for clients.
const std::map<FolderKind, std::string> kRenameInPlace{
    {FolderKind::kUser, "+++CCC"},  {FolderKind::kConversation, "+++PCC"}, {FolderKind::kSession, "PPPPPP"},
    {FolderKind::kInbox, "+++CCC"}, {FolderKind::kDefault, "CCCCCC"},      {FolderKind::kRoot, "CCCCCC"},
};
/// Into a group conversation.
const std::map<ObjectKind, std::string> kAppend{
    {ObjectKind::kUnclassified, "+++C++"},
    {ObjectKind::kChatMessage, "+++C++"},
    {ObjectKind::kStandaloneMessage, "+++C++"},
    {ObjectKind::kImdn, "+++C++"},
    {ObjectKind::kSms, "+++C++"},
    {ObjectKind::kMms, "+++C++"},
    {ObjectKind::kFileTransferOverHttp, "+++C++"},
    {ObjectKind::kFileTransfer, "+++C++"},
    {ObjectKind::kSessionInfo, "+++CC+"},
    {ObjectKind::kGroupState, "CCCCC+"},
    {ObjectKind::kMedia, "+++C++"},
};

/// The table with `letter` for every "+".
template <class Row>
std::map<Row, std::string> With(std::map<Row, std::string> table, char letter) {
  for (auto& [row, letters] : table) std::replace(letters.begin(), letters.end(), '+', letter);
  return table;
}

const auto kAskCreate = [](FolderKind kind, const Place& superior, const model::Asker& asker) {
  return model::MayCreate(kind, superior, asker);
};
const auto kAskAppend = [](ObjectKind object, const Place& target, const model::Asker& asker) {
  return model::MayAppend(object, target, asker);
};
const auto kAskCopy = [](ObjectKind object, const Place& target, const model::Asker& asker) {
  return model::MayCopy(object, target, asker);
};
auto AskRename(bool in_place) {
  return [in_place](FolderKind kind, const Place& to, const model::Asker& asker) {
    return model::MayRename(kind, to, in_place, asker);
  };
}
auto AskMoveFrom(FolderKind source) {
  return [source](ObjectKind object, const Place& target, const model::Asker& asker) {
    return model::MayMove(object, source, target, asker);
  };
}

TEST(ModelRules, WhichFolderMayLieWhere) {
  ExpectTable(kCreate, {}, {}, kAskCreate);
  for (const auto& [kind, letters] : kCreate) {
    for (std::size_t i = 0; i < std::size(kKinds); ++i)
      EXPECT_EQ(model::MayHold(kKinds[i], kind), letters[i] == '+') << kKindNames[i];
  }
}

TEST(ModelRules, APlaceMakesWhatIsMadeThereByName) {
  const FolderKind made[] = {FolderKind::kUser,         FolderKind::kUser,    FolderKind::kUser,
                             FolderKind::kConversation, FolderKind::kSession, FolderKind::kUser};
  for (std::size_t i = 0; i < std::size(kKinds); ++i) EXPECT_EQ(model::KindBelow(kKinds[i]), made[i]);
}

TEST(ModelRules, AConversationWithOnePeerHasNoSessions) {
  auto table = kCreate;
  table[FolderKind::kSession] = "CCCCCC";
  ExpectTable(table, {}, {.one_to_one = true}, kAskCreate);
}

TEST(ModelRules, AnAddressIsAPeer) {
  for (const auto* peer :
       {"tel:+15550100222", "sip:marek@ims.example.net", "sip:anonymous@anonymous.invalid"})
    EXPECT_TRUE(model::IsOneToOne(peer)) << peer;
  for (const auto* group : {"", "3fae0f14-43d5-4ffb-88f7-02393fd08dfb", "Anna", "tel:+1 555"})
    EXPECT_FALSE(model::IsOneToOne(group)) << group;
}

TEST(ModelRules, WhatMayBeDeleted) {
  constexpr std::string_view kLetters = "+CCC++";
  for (std::size_t i = 0; i < std::size(kKinds); ++i) {
    ExpectVerdict(kLetters[i], "delete " + std::string(kKindNames[i]), {},
                  [&](const model::Asker&) { return model::MayDelete(kKinds[i]); });
  }
}

TEST(ModelRules, WhatMayBeMovedWhere) {
  for (const bool one_to_one : {false, true}) {
    ExpectTable(kRenameElsewhere, {}, {.one_to_one = one_to_one}, AskRename(false));
    ExpectTable(kRenameInPlace, {}, {.one_to_one = one_to_one}, AskRename(true));
  }
}

TEST(ModelRules, TheSystemsFoldersDoNotFollow) {
  constexpr std::string_view kLetters = "++CC++";
  for (std::size_t i = 0; i < std::size(kKinds); ++i) {
    ExpectVerdict(kLetters[i], "follow " + std::string(kKindNames[i]), {},
                  [&](const model::Asker&) { return model::MayFollow(kKinds[i]); });
  }
}

TEST(ModelRules, WhichObjectMayLieWhere) {
  ExpectTable(kAppend, {}, {}, kAskAppend);
  ExpectTable(kAppend, {}, {}, kAskCopy);
  auto one_to_one = kAppend;
  one_to_one[ObjectKind::kSessionInfo] = "+++C++";
  ExpectTable(one_to_one, {}, {.one_to_one = true}, kAskAppend);
  ExpectTable(one_to_one, {}, {.one_to_one = true}, kAskCopy);
}

TEST(ModelRules, ObjectsOfAConversationAreNotMovedAlone) {
  for (const FolderKind source : kKinds) {
    const bool stays = source == FolderKind::kConversation || source == FolderKind::kSession;
    ExpectTable(stays ? With(kAppend, 'C') : kAppend, {}, {}, AskMoveFrom(source));
  }
}

TEST(ModelRules, TheNetworkAloneMayWriteDefault) {
  const Profile profile{.owner_may_write_default = false};
  const Place below{.in_default = true};
  ExpectTable(With(kCreate, 'P'), profile, below, kAskCreate);
  ExpectTable(With(kAppend, 'P'), profile, below, kAskAppend);
  ExpectTable(With(kAppend, 'P'), profile, below, kAskCopy);
  ExpectTable(With(kAppend, 'P'), profile, below, AskMoveFrom(FolderKind::kUser));
  // Elsewhere the owner writes, and what was recorded may be moved out and deleted.
  ExpectTable(kCreate, profile, {}, kAskCreate);
  ExpectTable(kAppend, profile, {}, kAskAppend);
  ExpectTable(kRenameElsewhere, profile, {}, AskRename(false));
}

TEST(ModelRules, UserFoldersLieBelowTheRootOnly) {
  const Profile profile{.permanent_root = "RCSMessageStore", .user_folders_only_below_root = true};
  auto create = kCreate;
  create[FolderKind::kUser] = "PPPCCC";
  ExpectTable(create, profile, {}, kAskCreate);
  ExpectTable(kCreate, profile, {.in_root = true}, kAskCreate);
  auto rename = kRenameElsewhere;
  rename[FolderKind::kUser] = rename[FolderKind::kInbox] = rename[FolderKind::kConversation] = "PPPCCC";
  ExpectTable(rename, profile, {}, AskRename(false));
  ExpectTable(kRenameElsewhere, profile, {.in_root = true}, AskRename(false));
  auto in_place = kRenameInPlace;
  in_place[FolderKind::kUser] = in_place[FolderKind::kInbox] = "PPPCCC";
  in_place[FolderKind::kConversation] = "PPPPCC";
  ExpectTable(in_place, profile, {}, AskRename(true));
  ExpectTable(kRenameInPlace, profile, {.in_root = true}, AskRename(true));
  ExpectTable(kAppend, profile, {}, kAskAppend);
}

/// The rights that are left of all, for each kind in the order of kKinds; `c` and `d` are told by others.
void ExpectRights(const std::vector<std::string>& left, const Place& place, const model::Asker& asker) {
  ASSERT_EQ(left.size(), std::size(kKinds));
  for (std::size_t i = 0; i < std::size(kKinds); ++i) {
    Place there = place;
    there.kind = kKinds[i];
    EXPECT_EQ(model::MayEver(there, asker), *protocol::Rights::Parse(left[i]))
        << kKindNames[i] << ", role " << static_cast<int>(asker.role);
  }
}

// Spec note 3.4, "Default ACLs". Columns: user, inbox, root, default, conversation, session.
TEST(ModelRules, WhatIsLeftOfTheRights) {
  const std::string all = "lrswipkxtean";
  const std::vector<std::string> uploads{all, all, "lrswipktean", "lrswktean", all, "lrswipxtean"};
  for (const Role role : kRoles) {
    ExpectRights(uploads, {}, {role, {}});
    ExpectRights(uploads, {.in_default = true}, {role, {}});
  }
  const Profile network_only{.owner_may_write_default = false};
  const std::vector<std::string> reads{"lrswxtean", "lrswxtean", "lrswtean",
                                       "lrswtean",  "lrswxtean", "lrswxtean"};
  const Profile below_root{.permanent_root = "RCSMessageStore", .user_folders_only_below_root = true};
  const std::vector<std::string> no_folders{"lrswipxtean", "lrswipxtean", "lrswiptean",
                                            "lrswktean",   all,           "lrswipxtean"};
  for (const Role role : kRoles) {
    const bool client = role == Role::kUser || role == Role::kSubmit;
    ExpectRights(client ? reads : uploads, {.in_default = true}, {role, network_only});
    ExpectRights(uploads, {}, {role, network_only});
    ExpectRights(client ? no_folders : uploads, {}, {role, below_root});
    ExpectRights(uploads, {.in_root = true}, {role, below_root});
  }
}

}  // namespace
}  // namespace tests
