#include "protocol/sasl/exchange.h"

#include <vector>

#include <gtest/gtest.h>

namespace protocol_test {
namespace {

using namespace std::string_literals;
using protocol::sasl::Challenge;
using protocol::sasl::Credentials;
using protocol::sasl::Exchange;
using protocol::sasl::Fault;
using protocol::sasl::Step;

/// Mechanism, what the client sends ("nullopt" first: no initial response), what the last step is.
struct Case {
  std::string name;
  std::string mechanism;
  std::vector<std::optional<std::string>> responses;
  Step last;
};

class SaslExchange : public testing::TestWithParam<Case> {};

TEST_P(SaslExchange, EndsAsItShould) {
  auto exchange = Exchange::Start(GetParam().mechanism);
  ASSERT_TRUE(exchange);
  const auto& responses = GetParam().responses;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    const auto step = exchange->Next(responses[i]);
    if (i + 1 < responses.size()) {
      ASSERT_TRUE(std::holds_alternative<Challenge>(step)) << "step " << i;
    } else {
      EXPECT_EQ(step, GetParam().last);
    }
  }
  if (!std::holds_alternative<Challenge>(GetParam().last)) {
    EXPECT_EQ(exchange->Next("more"), Step(Fault::kMalformed)) << "an exchange that is over stays so";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rfc4616, SaslExchange,
    testing::Values(
        // RFC 4616 §4, with the same identity.
        Case{
            "InitialResponse", "PLAIN", {"\0tim\0tanstaaftanstaaf"s}, Credentials{"tim", "tanstaaftanstaaf"}},
        Case{"CaseOfTheName", "plain", {"\0tim\0secret"s}, Credentials{"tim", "secret"}},
        Case{"EmptyChallengeFirst", "PLAIN", {std::nullopt, "\0tim\0secret"s}, Credentials{"tim", "secret"}},
        Case{"ChallengeIsEmpty", "PLAIN", {std::nullopt}, Challenge{""}},
        Case{"OwnAuthorizationIdentity", "PLAIN", {"tim\0tim\0secret"s}, Credentials{"tim", "secret"}},
        Case{"OwnIdentityInAnotherSpelling",
             "PLAIN",
             {"sip:ann@Example.COM\0ann@example.com\0secret"s},
             Credentials{"ann@example.com", "secret"}},
        Case{"OtherAddress",
             "PLAIN",
             {"sip:eve@example.com\0ann@example.com\0x"s},
             Credentials{"ann@example.com", "x", "sip:eve@example.com"}},
        Case{"OtherAuthorizationIdentity",
             "PLAIN",
             {"Ursel\0Kurt\0xipj3plmq"s},
             Credentials{"Kurt", "xipj3plmq", "Ursel"}},
        Case{"AuthorizationIdentityTooLong",
             "PLAIN",
             {std::string(1025, 'x') + "\0tim\0secret"s},
             Fault::kMalformed},
        Case{"Empty", "PLAIN", {""}, Fault::kMalformed},
        Case{"OneNul", "PLAIN", {"tim\0secret"s}, Fault::kMalformed},
        Case{"ThreeNuls", "PLAIN", {"\0tim\0sec\0ret"s}, Fault::kMalformed},
        Case{"NoName", "PLAIN", {"\0\0secret"s}, Fault::kMalformed},
        Case{"NoPassword", "PLAIN", {"\0tim\0"s}, Fault::kMalformed},
        Case{"Utf8", "PLAIN", {"\0t\xc3\xadm\0s\xc3\xa9"s}, Credentials{"t\xc3\xadm", "s\xc3\xa9"}},
        Case{"TooLong", "PLAIN", {"\0tim\0"s + std::string(1025, 'x')}, Fault::kMalformed}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Login, SaslExchange,
    testing::Values(Case{"AsksForTheName", "LOGIN", {std::nullopt}, Challenge{"Username:"}},
                    Case{"AsksForThePassword", "LOGIN", {std::nullopt, "tim"}, Challenge{"Password:"}},
                    Case{"Complete", "LOGIN", {std::nullopt, "tim", "secret"}, Credentials{"tim", "secret"}},
                    Case{"NameAsInitialResponse", "login", {"tim", "secret"}, Credentials{"tim", "secret"}},
                    Case{"EmptyName", "LOGIN", {std::nullopt, ""}, Fault::kMalformed},
                    Case{"EmptyPassword", "LOGIN", {std::nullopt, "tim", ""}, Fault::kMalformed},
                    Case{"NulInTheName", "LOGIN", {"t\0m"s}, Fault::kMalformed}),
    [](const auto& info) { return info.param.name; });

TEST(SaslMechanisms, EveryAdvertisedOneCanBeStartedAndNoOther) {
  for (const auto name : protocol::sasl::Mechanisms()) EXPECT_TRUE(Exchange::Start(name)) << name;
  EXPECT_FALSE(Exchange::Start("CRAM-MD5"));
  EXPECT_FALSE(Exchange::Start(""));
}

}  // namespace
}  // namespace protocol_test
