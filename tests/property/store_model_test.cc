#include "tests/support/store_model.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/support/temp_store.h"

// MailStore against a naive model: the same commands, the same answers, and after each the same account to
// see, whichever way one looks at it.

namespace tests {
namespace {

using Kind = StoreOp::Kind;
using protocol::FlagChange;
using protocol::SpecialUse;

std::string AnyPath() {
  // Names that nest, and names that sort between a folder and its inferiors.
  return *rc::gen::weightedElement<std::string>({{6, "INBOX"},
                                                 {4, "a"},
                                                 {2, "a/b"},
                                                 {1, "a/b/c"},
                                                 {1, "a b"},
                                                 {2, "d"},
                                                 {1, "d/e/f"},
                                                 {1, "INBOX/g"},
                                                 {1, "Default"},
                                                 {3, "Default/g"},
                                                 {2, "Default/g/s"},
                                                 {1, "Default/h/s"},
                                                 {1, "Default/g/s/x"},
                                                 {1, "Default/tel:+15550100222"},
                                                 {1, "Default/tel:+15550100222/s"},
                                                 {2, "a/g"},
                                                 {1, "a/g/s"}});
}

std::vector<std::string> AnyFlags() {
  return *rc::gen::container<std::vector<std::string>>(
      static_cast<std::size_t>(*rc::gen::inRange(0, 4)),
      rc::gen::element<std::string>("\\Deleted", "\\Deleted", "\\Seen", "\\Answered", "\\Flagged", "$One",
                                    "$ONE", "two", "\\read-report-sent", "$Forwarded", "$Archived",
                                    "$Deferred"));
}

StoreOp AnyOp() {
  StoreOp op;
  op.kind = *rc::gen::weightedElement<Kind>({{4, Kind::kCreate},
                                             {2, Kind::kDelete},
                                             {3, Kind::kRename},
                                             {1, Kind::kSubscribe},
                                             {1, Kind::kUnsubscribe},
                                             {10, Kind::kAppend},
                                             {8, Kind::kFlags},
                                             {5, Kind::kExpunge},
                                             {5, Kind::kCopy},
                                             {5, Kind::kMove},
                                             {2, Kind::kClaimRecent},
                                             {2, Kind::kAccess},
                                             {3, Kind::kAnnotate},
                                             {2, Kind::kSetQuota},
                                             {4, Kind::kAdvance},
                                             {2, Kind::kDrain},
                                             {2, Kind::kReopen}});
  op.path = AnyPath();
  op.other = AnyPath();
  op.count = *rc::gen::weightedElement<std::uint32_t>({{10, 1}, {5, 3}, {1, 130}});
  if (op.kind == Kind::kAdvance) op.count = *rc::gen::element<std::uint32_t>(1, 3, 40, 400, 100'000);
  // In the past, and in a year of four nines: refused.
  op.expiry = *rc::gen::weightedElement<std::int64_t>(
      {{6, 0}, {4, 2}, {4, 30}, {4, 60}, {2, 300}, {1, -1}, {1, 253'370'764'800}});
  op.size =
      op.count == 130 ? 10 : *rc::gen::weightedElement<std::uint32_t>({{10, 100}, {1, 0}, {1, 600'000}});
  op.first = *rc::gen::inRange<std::uint32_t>(1, 8);
  // Over 100 UIDs are written ahead, however few there are.
  op.last = op.first + *rc::gen::element<std::uint32_t>(0, 2, 99, 100, 600, 0xfffffff0);
  if (op.last < op.first) op.last = 0xffffffff;
  using Limit = std::optional<std::uint64_t>;
  op.limits = {.octets = *rc::gen::element<Limit>(std::nullopt, std::nullopt, 2000, 100'000),
               .messages = *rc::gen::element<Limit>(std::nullopt, std::nullopt, 0, 10, 150),
               .folders = *rc::gen::element<Limit>(std::nullopt, std::nullopt, 0, 4, 6),
               .annotation_octets = *rc::gen::element<Limit>(std::nullopt, std::nullopt, 0, 20, 40)};
  op.op = *rc::gen::element(FlagChange::Op::kReplace, FlagChange::Op::kAdd, FlagChange::Op::kRemove);
  op.flags = AnyFlags();
  op.role = *rc::gen::weightedElement<storage::Role>({{3, storage::Role::kUser}, {1, storage::Role::kPf}});
  op.use = *rc::gen::element(SpecialUse::kNone, SpecialUse::kSent);
  op.entry = *rc::gen::element<std::string>("/private/comment", "/shared/Comment", "/shared/comment/a");
  op.value = *rc::gen::element<std::optional<std::string>>(std::nullopt, "", "one", "two");
  return op;
}

void BehavesLikeTheModel(Driver driver, const std::vector<StoreOp>& ops) {
  TempStore store(driver, storage::StoreOptions{});  // with a default folder
  const auto account = CreateAccount(*store);
  StorePlayer player(*store, account, 1'700'000'000,
                     [&](std::chrono::seconds time) { store.clock.Advance(time); });
  for (const auto& op : ops) {
    player.Play(op);
    if (op.kind == Kind::kReopen) {
      player.Detach();
      store.Reopen();
      player.Attach(*store);
    }
    const auto difference = player.Compare(Precision::kExact);
    if (!difference.empty()) RC_FAIL(difference);
  }
  player.Detach();
}

rc::Gen<std::vector<StoreOp>> AnyOps() {
  return rc::gen::container<std::vector<StoreOp>>(rc::gen::exec(AnyOp));
}

TEST(StoreProperty, MemoryStoreBehavesLikeTheModel) {
  EXPECT_TRUE(rc::check([] {
    const auto ops = *rc::gen::resize(60, AnyOps());
    BehavesLikeTheModel(Driver::kMemory, ops);
  }));
}

TEST(StoreProperty, RocksDbStoreBehavesLikeTheModel) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = 5;
  const auto result = rc::detail::checkTestable(
      [] {
        const auto ops = *rc::gen::resize(120, AnyOps());
        BehavesLikeTheModel(Driver::kRocks, ops);
      },
      rc::detail::TestMetadata(), params);
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  EXPECT_TRUE(result.is<rc::detail::SuccessResult>()) << text.str();
}

}  // namespace
}  // namespace tests
