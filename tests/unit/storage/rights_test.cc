// Who may do what with a folder, as tables (storage/store/rights.h).
#include "storage/store/rights.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tests {
namespace {

using protocol::RightsChange;
using storage::Acl;
using storage::Errc;
using storage::Right;
using storage::Rights;

const std::string kBea = "sip:bea@example.com";
const std::string kBeasNumber = "tel:+15550100222";
const std::string kCem = "tel:+15550100333";

Rights R(std::string_view letters) { return *Rights::Parse(letters); }

storage::schema::AccountRow Owner() {
  storage::schema::AccountRow row;
  row.address = "tel:+15550100111";
  row.aliases = {"sip:ann@example.com"};
  return row;
}

TEST(RightsTest, LettersInAnyOrder) {
  EXPECT_EQ(R("lrswipkxtean"), Rights::All());
  EXPECT_EQ(R("naetxkpiwsrl"), Rights::All());
  EXPECT_EQ(R("ll"), Rights(Right::kLookup));
  EXPECT_EQ(R(""), Rights());
  for (const char* bad : {"q", "L", "l r", "0", "+l", "lr\xc3\xa9"}) EXPECT_FALSE(Rights::Parse(bad)) << bad;
}

// RFC 4314 §2.1.1: `c` is `kx` here, `d` is `te`; told when one of them is there.
TEST(RightsTest, VirtualRights) {
  EXPECT_EQ(R("c"), R("kx"));
  EXPECT_EQ(R("d"), R("te"));
  EXPECT_EQ(R("lrswida").Letters(), "lrswitead");
  EXPECT_EQ(R("k").Letters(), "kc");
  EXPECT_EQ(R("x").Letters(), "xc");
  EXPECT_EQ(R("t").Letters(), "td");
  EXPECT_EQ(R("e").Letters(), "ed");
  EXPECT_EQ(R("lr").Letters(), "lr");
}

TEST(RightsTest, Changes) {
  using Op = RightsChange::Op;
  EXPECT_EQ((RightsChange{Op::kReplace, R("w")}.ApplyTo(R("lr"))), R("w"));
  EXPECT_EQ((RightsChange{Op::kAdd, R("rw")}.ApplyTo(R("lr"))), R("lrw"));
  EXPECT_EQ((RightsChange{Op::kRemove, R("rw")}.ApplyTo(R("lr"))), R("l"));
}

TEST(RightsTest, OnDiskARightIsItsBit) {
  EXPECT_EQ(R("l").bits(), 1);
  EXPECT_EQ(R("n").bits(), 1 << 11);
  EXPECT_EQ(Rights::All().bits(), 0xfff);
}

TEST(RightsTest, Identifiers) {
  const auto canonical = [](std::string_view text) {
    const auto found = storage::CanonicalIdentifier(text, Owner());
    return found ? *found : "refused";
  };
  EXPECT_EQ(canonical("Anyone"), "anyone");
  EXPECT_EQ(canonical("-authenticated"), "-authenticated");
  EXPECT_EQ(canonical("+1 (555) 010-0222"), kBeasNumber);
  EXPECT_EQ(canonical("-TEL:+1-555-0100222"), "-" + kBeasNumber);
  EXPECT_EQ(canonical("bea@EXAMPLE.com"), kBea);
  // The owner's own names are one; of others' none is looked up, so that nothing is learnt.
  EXPECT_EQ(canonical("ann@example.com"), "tel:+15550100111");
  EXPECT_EQ(canonical("-sip:ann@example.com"), "-tel:+15550100111");
  for (const char* bad : {"", "-", "fred", "$team", "sip:", "anonymous@anonymous.invalid", "--anyone"})
    EXPECT_EQ(canonical(bad), "refused") << bad;
}

struct Case {
  const char* name;
  Acl acl;
  const char* bea;    ///< what Bea has, who is bea@ and her number
  const char* cem;    ///< Cem
  const char* owner;  ///< what is left to the owner
};

TEST(RightsTest, WhatAListGives) {
  const std::vector<Case> cases{
      {"no list", {}, "", "", "lrswipkxtean"},
      {"one of her names", {{kBea, R("lr")}}, "lr", "", "lrswipkxtean"},
      {"both of her names", {{kBea, R("lr")}, {kBeasNumber, R("lw")}}, "lrw", "", "lrswipkxtean"},
      {"denied by another name", {{"-" + kBea, R("w")}, {kBeasNumber, R("lrw")}}, "lr", "", "lrswipkxtean"},
      {"anyone", {{"anyone", R("l")}, {kCem, R("r")}}, "l", "lr", "lrswipkxtean"},
      {"authenticated", {{"authenticated", R("lr")}}, "lr", "lr", "lrswipkxtean"},
      {"anyone but", {{"-" + kCem, R("lrswipkxtean")}, {"anyone", R("lr")}}, "lr", "", "lrswipkxtean"},
      {"nobody may", {{"-anyone", R("w")}, {kBea, R("lrw")}}, "lr", "", "lrsipkxtean"},
      {"denied without being given", {{"-" + kBea, R("r")}}, "", "", "lrswipkxtean"},
      {"the owner less", {{Owner().address, R("lra")}}, "", "", "lra"},
      {"the owner by anyone", {{"anyone", R("w")}, {Owner().address, R("lra")}}, "w", "w", "lrwa"},
      {"the owner denied", {{"-" + Owner().address, R("lrswipkxtean")}}, "", "", "la"},
      {"everybody denied", {{"-anyone", R("lrswipkxtean")}}, "", "", "la"},
  };
  const storage::Principal bea({2}, kBeasNumber, {kBea});
  const storage::Principal cem({3}, kCem, {});
  for (const auto& c : cases) {
    EXPECT_EQ(storage::Granted(c.acl, bea.identifiers), R(c.bea)) << c.name;
    EXPECT_EQ(storage::Granted(c.acl, cem.identifiers), R(c.cem)) << c.name;
    EXPECT_EQ(storage::OwnersPart(c.acl, Owner()), R(c.owner)) << c.name;
  }
}

TEST(RightsTest, WhoActsForTheOwner) {
  using storage::Role;
  storage::schema::FolderRow row;
  const auto of = [&](Role role) {
    return storage::RightsOfHost(row.owner_rights, storage::Actor({}, role));
  };
  EXPECT_EQ(of(Role::kUser), Rights::All());
  EXPECT_EQ(of(Role::kPf), Rights::All() - Right::kAdminister);
  EXPECT_EQ(of(Role::kOperator), Rights::All());
  // What an owner denies themselves binds neither network nor operator.
  row.owner_rights = R("la");
  EXPECT_EQ(of(Role::kUser), R("la"));
  EXPECT_EQ(of(Role::kPf), Rights::All() - Right::kAdminister);
  EXPECT_EQ(of(Role::kOperator), Rights::All());
}

// A refusal tells that there is a mailbox only to who may see it.
TEST(RightsTest, Refusals) {
  const auto code = [](const storage::Result<>& result) {
    return result ? std::optional<Errc>() : std::optional(result.error().code);
  };
  EXPECT_EQ(code(storage::Demand(R("lr"), R("r"))), std::nullopt);
  EXPECT_EQ(code(storage::Demand(R("l"), R("r"))), Errc::kNoPermission);
  EXPECT_EQ(code(storage::Demand(R(""), R("r"))), Errc::kNoSuchFolder);
  EXPECT_EQ(code(storage::Demand(R("w"), R("r"))), Errc::kNoSuchFolder);
  EXPECT_EQ(code(storage::Demand(R("r"), R("re"))), Errc::kNoSuchFolder);
  EXPECT_EQ(code(storage::DemandAny(R("i"), storage::kAnyForMyRights)), std::nullopt);
  EXPECT_EQ(code(storage::DemandAny(R("swpten"), storage::kAnyForMyRights)), Errc::kNoSuchFolder);
  // Each right has its sentence.
  for (const char letter : protocol::kRightLetters.substr(1)) {
    const auto refused = storage::Demand(R("l"), R(std::string(1, letter)));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().detail.find(std::string("\"") + letter + "\" on this mailbox, to "),
              std::string::npos)
        << refused.error().detail;
  }
}

// RFC 5464 §3.3: `l` and one of `rswip`; for what others see, `n`.
TEST(RightsTest, Annotations) {
  for (const char letter : std::string_view("rswip")) {
    EXPECT_TRUE(storage::DemandAnnotations(R("l" + std::string(1, letter)), false)) << letter;
    EXPECT_FALSE(storage::DemandAnnotations(R(std::string(1, letter)), false)) << letter;
    EXPECT_FALSE(storage::DemandAnnotations(R("l" + std::string(1, letter)), true)) << letter;
    EXPECT_TRUE(storage::DemandAnnotations(R("ln" + std::string(1, letter)), true)) << letter;
  }
  EXPECT_FALSE(storage::DemandAnnotations(R("lkxtean"), false));
}

TEST(RightsTest, FlagsThatMayBeChanged) {
  using protocol::SystemFlag;
  protocol::FlagSet all{SystemFlag::kAnswered, SystemFlag::kFlagged, SystemFlag::kDeleted, SystemFlag::kSeen,
                        SystemFlag::kDraft};
  all.Insert("$Forwarded");
  protocol::FlagSet written{SystemFlag::kAnswered, SystemFlag::kFlagged, SystemFlag::kDraft};
  written.Insert("$Forwarded");
  EXPECT_EQ(storage::ChangeableAmong(all, R("swt")), all);
  EXPECT_EQ(storage::ChangeableAmong(all, R("w")), written);
  EXPECT_EQ(storage::ChangeableAmong(all, R("s")), protocol::FlagSet{SystemFlag::kSeen});
  EXPECT_EQ(storage::ChangeableAmong(all, R("t")), protocol::FlagSet{SystemFlag::kDeleted});
  EXPECT_EQ(storage::ChangeableAmong(all, R("lripkxean")), protocol::FlagSet{});
}

}  // namespace
}  // namespace tests
