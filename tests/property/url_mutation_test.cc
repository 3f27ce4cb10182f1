// Authorised URLs that are changed at random, one way or several: none but the one that was given out fetches
// anything, whoever tries (RFC 4467 §6).
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/imap/url.h"
#include "protocol/model/ascii.h"
#include "server/references/desk.h"
#include "tests/support/random_rounds.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace server::references {
namespace {

using storage::Role;
using tests::Below;
using tests::Must;
using tests::Random;

const std::string kMessage =
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\n\r\nHello.\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n";

class UrlMutationTest : public testing::Test {
 protected:
  UrlMutationTest() {
    for (const auto account : {owner, other}) {
      Must(store->CreateFolder(account, "Kept/a b", {}));
      for (const char* path : {"INBOX", "Kept/a b"})
        Must(tests::Append(*store, account, path, {kMessage, kMessage}));
      AddGood(account);
    }
    for (const auto& url : good) EXPECT_TRUE(AnybodyGets(url)) << url;
  }

  void AddGood(storage::AccountId account) {
    const auto info = Must(store->GetAccount(account));
    const std::string user = "tel%3A%2B" + info.address.substr(5);
    UrlAuthority authority(*store, settings.urls, clock);
    for (const std::string& what :
         {"INBOX/;UID=1;URLAUTH=user+" + user, "INBOX/;UID=2/;SECTION=2;URLAUTH=submit+" + user,
          std::string(
              "Kept/a%20b/;UID=1/;SECTION=1/;PARTIAL=1.3;EXPIRE=2030-01-01T00:00:00Z;URLAUTH=authuser"),
          std::string("Kept/a%20b/;UID=2;URLAUTH=anonymous")}) {
      const auto done = Must(authority.Authorise("imap://" + user + "@cms.example.net/" + what, {account}));
      ASSERT_EQ(done.refusal, "");
      good.push_back(done.url);
    }
    Wish wish;
    wish.folder = Must(store->GetFolder(account, "INBOX")).ref;
    wish.uid = {1};
    wish.section = *protocol::ReadSection("2");
    auto to_user = wish;
    to_user.kind = storage::ReferenceAudience::kUser;
    to_user.audience = info.address;
    for (const auto& issued : Must(desk.Issue(info, account, {wish, to_user}))) {
      good.push_back(issued.imap_url);
      good.push_back(issued.url);
    }
  }

  bool AnybodyGets(std::string_view url) {
    for (const Bearer& bearer : {Bearer{owner}, Bearer{owner, Role::kPf}, Bearer{other},
                                 Bearer{other, Role::kPf}, Bearer{submit, Role::kSubmit}})
      if (Must(desk.Look(url, bearer))) return true;
    return false;
  }

  /// The mechanism's name alone may be spelled in any case (RFC 4467 §9).
  static std::string WithOneSpelling(std::string url) {
    const auto at = protocol::ascii::Upper(url).rfind(":INTERNAL:");
    if (at != std::string::npos) url.replace(at, 10, ":INTERNAL:");
    return url;
  }

  static char AnyChar(Random& random) {
    static constexpr std::string_view kOfUrls = "0123456789abcdefABCDEF/;:=@%+.-?#";
    return tests::Chance(random, 80) ? kOfUrls[Below(random, kOfUrls.size())]
                                     : static_cast<char>(Below(random, 256));
  }

  void Change(Random& random, std::string& url) {
    if (url.empty()) return;
    const std::size_t at = Below(random, url.size());
    char& c = url[at];
    switch (Below(random, 9)) {
      case 0: c = static_cast<char>(c ^ (1 << Below(random, 8))); return;
      case 1: c = AnyChar(random); return;
      case 2: url.insert(at, 1, AnyChar(random)); return;
      case 3: url.erase(at, 1 + Below(random, 4)); return;
      case 4: std::swap(c, url[Below(random, url.size())]); return;
      case 5: url.replace(at, 1, fmt::format("%{:02X}", static_cast<unsigned char>(c))); return;
      case 6:
        c = c == protocol::ascii::ToLower(c) ? protocol::ascii::ToUpper(c) : protocol::ascii::ToLower(c);
        return;
      case 7: url = url.substr(0, at) + Other(random, at); return;
      default: Splice(random, url);
    }
  }

  /// The end of another good one.
  std::string Other(Random& random, std::size_t from) {
    const auto& other_url = good[Below(random, good.size())];
    return other_url.substr(std::min(from, other_url.size()));
  }

  /// Another's token, or another's way to a message with this token.
  void Splice(Random& random, std::string& url) {
    const auto& from = good[Below(random, good.size())];
    const auto ours = url.rfind(tests::Chance(random, 50) ? ':' : ';');
    const auto theirs = from.rfind(tests::Chance(random, 50) ? ':' : ';');
    if (ours == std::string::npos || theirs == std::string::npos) return;
    url = tests::Chance(random, 50) ? url.substr(0, ours) + from.substr(theirs)
                                    : from.substr(0, theirs) + url.substr(ours);
  }

  tests::TempStore store;
  storage::AccountId owner = tests::CreateAccount(*store, "tel:+1555");
  storage::AccountId other = tests::CreateAccount(*store, "tel:+1666");
  storage::AccountId submit =
      Must(store->CreateAccount({.address = "sip:submit@example.com", .role = Role::kSubmit}));
  FakeClock clock;
  ReferenceSettings settings{.urls = {.host = "cms.example.net", .authuser = true, .anonymous = true},
                             .base_url = "https://cms.example.net:8443"};
  ReferenceDesk desk{*store, settings, clock};
  std::vector<std::string> good;
};

TEST_F(UrlMutationTest, OnlyWhatWasGivenOutFetches) {
  const std::set<std::string> given(good.begin(), good.end());
  tests::PlayRounds(10'000, [&](std::uint32_t seed) {
    Random random(seed);
    std::string url = good[Below(random, good.size())];
    for (std::uint32_t changes = 1 + Below(random, 3); changes > 0; --changes) Change(random, url);
    if (given.contains(WithOneSpelling(url))) return;
    EXPECT_FALSE(AnybodyGets(url)) << "CMS_SEED=" << seed << " CMS_ROUNDS=1: " << url;
  });
}

}  // namespace
}  // namespace server::references
