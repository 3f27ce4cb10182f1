// Access control lists over the operator's API.
#include <gmock/gmock.h>

#include "tests/unit/server/http/http_fixture.h"

namespace server_test {
namespace {

using testing::HasSubstr;

constexpr const char* kAcl = "/v1/accounts/%2B15550100111/acl?folder=INBOX";

class HttpAclTest : public HttpTest {
 protected:
  HttpAclTest() {
    MakeAccount();
    MakeAccount("tel:+15550100222");
  }
  std::string Rights(const std::string& user) {
    return Get("/v1/accounts/%2B15550100111/rights?folder=INBOX&user=" + user).body;
  }
};

TEST_F(HttpAclTest, GivesShowsAndTakesAway) {
  EXPECT_THAT(Get(kAcl).body, HasSubstr(R"([{"identifier":"tel:+15550100111","rights":"lrswipkxteancd"}])"));
  const auto set = Put(kAcl, R"({"identifier":"+1 555 0100 222","rights":"lrs"})");
  EXPECT_EQ(set.status, 200U) << set.body;
  EXPECT_THAT(set.body, HasSubstr(R"({"identifier":"tel:+15550100222","rights":"lrs"})"));
  EXPECT_THAT(Put(kAcl, R"({"identifier":"+15550100222","rights":"-s"})").body,
              HasSubstr(R"("rights":"lr"})"));
  EXPECT_THAT(Rights("tel:%2B15550100222"), HasSubstr(R"("rights":"lr")"));
  EXPECT_THAT(Rights("tel:%2B15550100111"), HasSubstr(R"("rights":"lrswipkxteancd")"));
  const auto gone = Ask(beast::http::verb::delete_, std::string(kAcl) + "&identifier=%2B15550100222");
  EXPECT_EQ(gone.status, 200U) << gone.body;
  EXPECT_THAT(Rights("tel:%2B15550100222"), HasSubstr(R"("rights":"")"));
}

// The operator is not bound by what an owner denies themselves.
TEST_F(HttpAclTest, TheOperatorReadsWhatTheOwnerMayNot) {
  EXPECT_EQ(Put(kAcl, R"({"identifier":"+15550100111","rights":""})").status, 200U);
  EXPECT_THAT(Rights("tel:%2B15550100111"), HasSubstr(R"("rights":"la")"));
  EXPECT_EQ(Get("/v1/accounts/%2B15550100111/objects?folder=INBOX").status, 200U);
  EXPECT_EQ(Get("/v1/accounts/%2B15550100111/metadata?folder=INBOX").status, 200U);
}

TEST_F(HttpAclTest, WhatIsWrongIsSaid) {
  EXPECT_EQ(Put(kAcl, R"({"identifier":"+15550100222"})").status, 400U);
  const auto letter = Put(kAcl, R"({"identifier":"+15550100222","rights":"q"})");
  EXPECT_EQ(letter.status, 400U);
  EXPECT_THAT(letter.body, HasSubstr("Rights are letters out of lrswipkxteancd"));
  EXPECT_EQ(Put(kAcl, R"({"identifier":"fred","rights":"l"})").status, 400U);
  EXPECT_EQ(Put(kAcl, R"({"identifier":"anyone","rights":"l"})").status, 403U);
  EXPECT_EQ(Get("/v1/accounts/%2B15550100111/acl?folder=None").status, 404U);
  EXPECT_EQ(Get("/v1/accounts/%2B15550100999/acl?folder=INBOX").status, 404U);
  EXPECT_EQ(Get("/v1/accounts/%2B15550100111/rights?folder=None&user=tel:%2B15550100111").status, 404U);
  EXPECT_EQ(Get("/v1/accounts/%2B15550100111/rights?folder=INBOX&user=tel:%2B15550100999").status, 404U);
}

}  // namespace
}  // namespace server_test
