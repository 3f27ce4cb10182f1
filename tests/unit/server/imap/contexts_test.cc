// What bounds searches with updates, and what of their programs lasts (RFC 5267 §4.3).
#include "protocol/imap/limits.h"
#include "server/imap/contexts/freeze.h"
#include "tests/support/store_access.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using contexts::Freeze;
using protocol::SearchKey;
using protocol::SequenceSet;
using testing::HasSubstr;
using testing::StartsWith;
using tests::Must;
using Op = SearchKey::Op;
constexpr auto kStar = protocol::SequenceRange::kLargest;

class FreezeTest : public testing::Test {
 protected:
  FreezeTest() : inbox_(storage::FolderId{7}, [] {}) {
    opened_.keywords = std::make_shared<storage::KeywordTable>();
    opened_.uids = UidSet(Uid{11}, Uid{13});
    opened_.uids.Add(Uid{20});
    view_ = std::make_unique<MailboxView>(opened_, /*read_only=*/false, storage::Origin{1}, inbox_);
  }
  static SearchKey Set(Op op, SequenceSet set) { return {.op = op, .set = std::move(set)}; }
  std::string Frozen(const SearchKey& key) {
    const SearchKey frozen = Freeze(key, *view_);
    EXPECT_EQ(frozen.op, Op::kUidSet);
    return frozen.set.ToString();
  }

  ChangeInbox inbox_;
  storage::OpenedFolder opened_;
  std::unique_ptr<MailboxView> view_;
};

TEST_F(FreezeTest, NumbersBecomeTheUidsThatTheyStandFor) {
  EXPECT_EQ(Frozen(Set(Op::kSequenceSet, {.ranges = {{2, 4}}})), "12:13,20");
  EXPECT_EQ(Frozen(Set(Op::kSequenceSet, {.ranges = {{3, kStar}}})), "13,20");
  view_->Save(UidSet(Uid{12}));
  EXPECT_EQ(Frozen(Set(Op::kSequenceSet, {.saved_result = true})), "12");
  EXPECT_EQ(Frozen(Set(Op::kUidSet, {.saved_result = true})), "12");
}

TEST_F(FreezeTest, UidsStayAndTakeInThoseToComeWhereTheyNameThem) {
  EXPECT_EQ(Frozen(Set(Op::kUidSet, {.ranges = {{5, 12}, {90, 99}}})), "5:12,90:99");
  EXPECT_EQ(Frozen(Set(Op::kUidSet, {.ranges = {{13, kStar}}})), "13:4294967295");
  EXPECT_EQ(Frozen(Set(Op::kUidSet, {.ranges = {{kStar, 13}}})), "13:4294967295");
  EXPECT_EQ(Frozen(Set(Op::kUidSet, {.ranges = {{kStar, kStar}}})), "20");
  EXPECT_EQ(Frozen(Set(Op::kUidSet, {.ranges = {{25, kStar}}})), "25:20")
      << "as RFC 3501 §6.4.8 has it, for now";
}

TEST_F(FreezeTest, AllElseStays) {
  const SearchKey key{.op = Op::kNot,
                      .children = {{.op = Op::kOr,
                                    .children = {{.op = Op::kFlag, .text = "\\Seen"},
                                                 Set(Op::kSequenceSet, {.ranges = {{1, 1}}})}}}};
  SearchKey expected = key;
  expected.children[0].children[1] = Set(Op::kUidSet, {.ranges = {{11, 11}}});
  EXPECT_EQ(Freeze(key, *view_), expected);
  EXPECT_FALSE(contexts::DependsOnTime(key));
  EXPECT_TRUE(contexts::DependsOnTime({.op = Op::kNot, .children = {{.op = Op::kYounger, .number = 5}}}));
}

class ContextLimitsTest : public ImapTest {};

/// Reusing tags as it does, Client can have one search with updates.
TEST_F(ContextLimitsTest, AResultThatGrowsBeyondTheLimitIsUpdatedNoLonger) {
  constexpr int kOnce = 96;
  Fill(kOnce);
  const auto inbox = Must(store_->GetFolder(account_, "INBOX")).ref;
  std::uint64_t messages = kOnce;
  while (messages * 2 <= protocol::limits::kContextMessages) {
    messages += Must(store_->Copy(inbox, Must(Must(store_->Read(inbox)).Uids()), "INBOX")).source.size();
  }
  Client c = Selected();
  EXPECT_THAT(c("UID SEARCH RETURN (UPDATE COUNT) ALL"),
              StartsWith("* ESEARCH (TAG \"a\") UID COUNT 98304\na OK"));
  Must(store_->Copy(inbox, UidSet(Uid{1}, Uid{1000}), "INBOX"));
  EXPECT_THAT(c("NOOP"), HasSubstr("* ESEARCH (TAG \"a\") UID ADDTO (0 98305:99304)\n"));
  Must(store_->Copy(inbox, UidSet(Uid{1}, Uid{1000}), "INBOX"));
  EXPECT_THAT(c("NOOP"),
              testing::AllOf(HasSubstr("* NO [NOUPDATE \"a\"] Too many messages to keep updated\n"),
                             testing::Not(HasSubstr("ADDTO"))));
  EXPECT_THAT(c("UID SEARCH RETURN (UPDATE COUNT) ALL"),
              StartsWith("* ESEARCH (TAG \"a\") UID COUNT 100304\n* NO [NOUPDATE \"a\"] Too many messages"));
  EXPECT_THAT(c("UID SEARCH RETURN (UPDATE COUNT) UID 1:7"),
              StartsWith("* ESEARCH (TAG \"a\") UID COUNT 7\na OK"));
}

}  // namespace
}  // namespace server::imap
