#include "protocol/sasl/oauth.h"

#include <gtest/gtest.h>

namespace protocol_test {
namespace {

using namespace std::string_literals;
using protocol::sasl::OauthMessage;
using protocol::sasl::ReadOauthMessage;

/// RFC 7628 §4.1, with its host and port, which we do not need.
TEST(OauthMessageTest, Rfc7628Example) {
  EXPECT_EQ(ReadOauthMessage("n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
                             "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"),
            (OauthMessage{"user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="}));
  EXPECT_EQ(ReadOauthMessage("n,,\x01"
                             "auth=bearer a.b-c_d~e+f/g\x01\x01"),
            (OauthMessage{"", "a.b-c_d~e+f/g"}));
  EXPECT_EQ(ReadOauthMessage("y,a=a=2Cb=3D,\x01"
                             "auth=Bearer x\x01\x01"),
            (OauthMessage{"a,b=", "x"}));
}

TEST(OauthMessageTest, WhatIsNone) {
  for (const auto& message : {""s, "\x01"s, "n,,"s, "n,,\x01\x01"s,
                              "n,,\x01"
                              "auth=Bearer x\x01"s,
                              "n,,\x01"
                              "auth=Bearer x"s,
                              "n,,\x01"
                              "auth=Bearer \x01\x01"s,
                              "n,,\x01"
                              "auth=Bearer a b\x01\x01"s,
                              "n,,\x01"
                              "auth=Basic x\x01\x01"s,
                              "n,\x01"
                              "auth=Bearer x\x01\x01"s,
                              "n,a=,\x01"
                              "auth=Bearer x\x01\x01"s,
                              "n,a=b=c,\x01"
                              "auth=Bearer x\x01\x01"s,
                              "n,a=b\0c,\x01"
                              "auth=Bearer x\x01\x01"s,
                              "n,,,\x01"
                              "auth=Bearer x\x01\x01"s,
                              "p=tls-exporter,,\x01"
                              "auth=Bearer x\x01\x01"s,
                              "n,,\x01"
                              "auth=Bearer x\x01"
                              "auth=Bearer y\x01\x01"s,
                              "n,,\x01"
                              "auth=Bearer x\x01\x01more"s,
                              "n,,\x01nothing\x01"
                              "auth=Bearer x\x01\x01"s,
                              "n,,\x01"
                              "auth=Bearer " +
                                  std::string(20'000, 'x') + "\x01\x01"})
    EXPECT_FALSE(ReadOauthMessage(message)) << message.substr(0, 60);
}

}  // namespace
}  // namespace protocol_test
