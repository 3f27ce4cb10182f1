// Quotas (RFC 9208) of what is not a message, and what is told of them.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using protocol::SpecialUse;
using storage::AnnotationChange;
using storage::Errc;
using storage::kMaxQuota;
using storage::QuotaLimits;
using storage::QuotaUse;
using storage::Role;
using testing::ElementsAre;

AnnotationChange Comment(std::optional<std::string> value) { return {"/private/comment", std::move(value)}; }

TEST(QuotaTest, TellsUseAndWhatHolds) {
  TempStore store(
      Driver::kMemory,
      {.max_folders = 30, .max_account_annotation_octets = 1000, .profile = {.default_folder = ""}});
  const auto account = CreateAccount(*store);
  Must(Append(*store, account, "INBOX", {"abc"}));
  Must(store->SetAnnotations(account, "INBOX", {Comment("1234")}, account));
  auto quota = Must(store->GetQuota(account));
  EXPECT_EQ(quota.use, (QuotaUse{.octets = 3, .messages = 1, .folders = 1, .annotation_octets = 20}));
  EXPECT_EQ(quota.own, QuotaLimits());
  EXPECT_EQ(quota.limits, (QuotaLimits{.folders = 30, .annotation_octets = 1000}));
  Must(store->SetQuota(account, {.octets = 0, .folders = 40, .annotation_octets = 10}));
  quota = Must(store->GetQuota(account));
  EXPECT_EQ(quota.limits, (QuotaLimits{.octets = 0, .folders = 30, .annotation_octets = 10}));
  Must(store->ChangeQuota(account, [](QuotaLimits& limits) { limits.octets.reset(); }));
  EXPECT_EQ(Must(store->GetQuota(account)).own, (QuotaLimits{.folders = 40, .annotation_octets = 10}));
}

TEST(QuotaTest, ALimitHas63Bits) {
  TempStore store;
  const auto account = CreateAccount(*store);
  Must(store->SetQuota(account, {.octets = kMaxQuota, .messages = kMaxQuota}));
  Must(Append(*store, account, "INBOX", {"abc"}));
  EXPECT_EQ(ErrorOf(store->SetQuota(account, {.messages = kMaxQuota + 1})), Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(store->CreateAccount({.address = "tel:+9", .quota = {.folders = ~std::uint64_t{0}}})),
            Errc::kInvalidArgument);
  EXPECT_EQ(Must(store->GetQuota(account)).own, (QuotaLimits{.octets = kMaxQuota, .messages = kMaxQuota}));
}

TEST(QuotaTest, FoldersAreMadeWithTheirSuperiorsOrNotAtAll) {
  TempStore store(Driver::kMemory, {.profile = {.default_folder = ""}});
  const auto account = CreateAccount(*store);
  Must(store->SetQuota(account, {.folders = 3}));
  EXPECT_EQ(ErrorOf(store->CreateFolder(account, "a/b/c", SpecialUse::kNone)), Errc::kOverQuota);
  EXPECT_EQ(Must(store->ListFolders(account)).size(), 1U);
  Must(store->CreateFolder(account, "a/b", SpecialUse::kNone));
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, "INBOX", "old")), Errc::kOverQuota);
  Must(store->DeleteFolder(account, "a"));  // \Noselect: no mailbox any more
  EXPECT_EQ(Must(store->GetQuota(account)).use.folders, 2U);
  Must(store->RenameFolder(account, "INBOX", "old"));
  EXPECT_EQ(ErrorOf(store->CreateFolder(account, "a", SpecialUse::kNone)), Errc::kOverQuota);
}

TEST(QuotaTest, AnnotationsShrinkAlways) {
  TempStore store;
  const auto account = CreateAccount(*store);
  Must(store->SetAnnotations(account, "INBOX", {Comment("12345678")}, account));
  Must(store->SetQuota(account, {.annotation_octets = 10}));
  EXPECT_EQ(ErrorOf(store->SetAnnotations(account, "INBOX", {Comment("123456789")}, account)),
            Errc::kOverQuota);
  EXPECT_EQ(ErrorOf(store->SetAnnotations(account, "", {Comment("")}, account)), Errc::kOverQuota);
  Must(store->SetAnnotations(account, "INBOX", {Comment("1")}, account));
  Must(store->SetAnnotations(account, "INBOX", {Comment(std::nullopt)}, account));
  EXPECT_EQ(Must(store->GetQuota(account)).use.annotation_octets, 0U);
}

TEST(QuotaTest, OctetsOfWhatIsDeletedAreCounted) {
  for (const auto driver : {Driver::kMemory, Driver::kRocks}) {
    TempStore store(driver);
    const auto account = CreateAccount(*store);
    Must(Append(*store, account, "INBOX", {"1", "22", "333"}));
    const auto ref = Must(store->GetFolder(account, "INBOX")).ref;
    const protocol::FlagChange deleted{protocol::FlagChange::Op::kAdd, {protocol::SystemFlag::kDeleted}};
    const auto octets = [&] { return Must(store->GetFolder(ref, {.deleted_octets = true})).deleted_octets; };
    EXPECT_EQ(octets(), 0U);
    Must(store->UpdateFlags(ref, UidRange(2, 3), deleted));
    EXPECT_EQ(octets(), 5U);
    EXPECT_EQ(Must(store->GetFolder(ref)).deleted_octets, 0U) << "not asked for";
    Must(store->UpdateFlags(ref, UidRange(1, 1), deleted));
    EXPECT_EQ(octets(), 6U);
  }
}

TEST(ActForTest, PatternsAreOfAPf) {
  TempStore store(Driver::kRocks);
  const auto user = CreateAccount(*store);
  EXPECT_EQ(ErrorOf(store->ChangeActFor(user, {"tel:*"}, {})), Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(store->CreateAccount({.address = "tel:+9", .act_for = {"tel:*"}})),
            Errc::kInvalidArgument);
  const auto pf =
      Must(store->CreateAccount({.address = "sip:pf@x", .role = Role::kPf, .act_for = {"tel:+1*"}}));
  EXPECT_THAT(Must(store->ChangeActFor(pf, {"sip:*@x", "tel:+1*"}, {})), ElementsAre("tel:+1*", "sip:*@x"));
  EXPECT_THAT(Must(store->ChangeActFor(pf, {}, {"tel:+1*"})), ElementsAre("sip:*@x"));
  EXPECT_EQ(ErrorOf(store->ChangeActFor(pf, {"tel:+2*"}, {"tel:+1*"})), Errc::kInvalidArgument)
      << "all or none";
  for (const auto* bad : {"", "*", "tel", "tel:+1 2", "tel:\x7f", "sip:caf\xc3\xa9"})
    EXPECT_EQ(ErrorOf(store->ChangeActFor(pf, {bad}, {})), Errc::kInvalidArgument) << bad;
  EXPECT_EQ(ErrorOf(store->ChangeActFor(pf, std::vector<std::string>(1, "tel:" + std::string(252, '1')), {})),
            Errc::kInvalidArgument);
  std::vector<std::string> many;
  for (int i = 0; i < 200; ++i) many.push_back("tel:+" + std::to_string(i) + "*");
  EXPECT_EQ(ErrorOf(store->ChangeActFor(pf, many, {})), Errc::kLimit);
  store.Reopen();
  EXPECT_THAT(Must(store->GetAccount(pf)).act_for, ElementsAre("sip:*@x"));
}

}  // namespace
}  // namespace tests
