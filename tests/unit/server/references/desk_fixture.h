#pragma once

#include <string>
#include <vector>

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

  storage::Uid Put(const std::string& message) {
    return tests::Must(tests::Append(*store, owner, "INBOX", {message})).uids.front();
  }
  /// One reference for each of these parts of a message.
  std::vector<Issued> IssueFor(storage::Uid uid, const std::vector<Attachment>& parts, bool web = false) {
    std::vector<Wish> wishes;
    for (const auto& part : parts) {
      Wish wish;
      wish.folder = folder;
      wish.uid = uid;
      wish.section = part.section;
      wish.partial = part.partial;
      wish.inside = part.inside;
      wish.web = web;
      wishes.push_back(wish);
    }
    return tests::Must(desk.Issue(tests::Must(store->GetAccount(owner)), owner, wishes));
  }

  tests::TempStore store;
  storage::AccountId owner = tests::CreateAccount(*store, "tel:+1555");
  storage::FolderRef folder = tests::Must(store->GetFolder(owner, "INBOX")).ref;
  FakeClock clock;
  ReferenceSettings settings{.urls = {.host = "cms.example.net"}, .base_url = "https://cms.example.net:8443"};
  ReferenceDesk desk{*store, settings, clock};
};

/// With one message: a text, a picture, and a message within.
class OneMessageFixture : public DeskFixture {
 public:
  static inline const std::string kMessage =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n"
      "--b\r\nContent-Type: image/png; name=x.png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAwQF\r\n"
      "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nwithin\r\n--b--\r\n";

 protected:
  OneMessageFixture() { tests::Must(tests::Append(*store, owner, "INBOX", {kMessage})); }
  Wish WishFor(const std::string& section) {
    Wish wish;
    wish.folder = folder;
    wish.uid = {1};
    wish.section = *protocol::ReadSection(section);
    return wish;
  }
  Issued Issue(const Wish& wish) {
    return tests::Must(desk.Issue(tests::Must(store->GetAccount(owner)), owner, {wish})).at(0);
  }
  std::string TokenOf(const Issued& issued) { return issued.url.substr(issued.url.rfind('/') + 1); }
};

}  // namespace server::references
