#pragma once

#include <string>

#include <gtest/gtest.h>

#include "server/references/desk.h"
#include "server/references/message_exchange.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace server::references {

/// A desk over a store with one account.
class DeskFixture : public testing::Test {
 protected:
  static std::string All(MessagePlan plan) {
    const auto size = plan.size();
    std::string out;
    while (!plan.done()) EXPECT_TRUE(plan.Take(out));
    EXPECT_EQ(out.size(), size);
    return out;
  }
  /// For a PF that acts for the owner.
  std::string ResolvedOf(const std::string& message, bool cpim = false) {
    auto resolved =
        tests::Must(Resolve(*store, desk, message, cpim, {owner, storage::Role::kPf}, {}, 1 << 20));
    if (!resolved.not_resolved.empty()) return "not resolved: " + resolved.not_resolved[0].why;
    return All(std::move(resolved.message));
  }

  tests::TempStore store;
  storage::AccountId owner = tests::CreateAccount(*store, "tel:+1555");
  storage::FolderRef folder = tests::Must(store->GetFolder(owner, "INBOX")).ref;
  FakeClock clock;
  ReferenceSettings settings{.urls = {.host = "cms.example.net"}, .base_url = "https://cms.example.net:8443"};
  ReferenceDesk desk{*store, settings, clock};
};

}  // namespace server::references
