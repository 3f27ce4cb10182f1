// The headers of a message/cpim body (RFC 3862).

#include "protocol/cpm/cpim.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace protocol::cpm {
namespace {

using Fields = std::vector<CpimField>;

std::string WithHeader(const std::string& header) {
  return header + "\r\n\r\nContent-Type: text/plain\r\n\r\nhello";
}

Fields FieldsOf(const std::string& header) {
  const auto cpim = ReadCpim(WithHeader(header));
  EXPECT_TRUE(cpim) << (cpim ? "" : cpim.error().text);
  return cpim ? cpim->fields : Fields{};
}

TEST(CpimHeader, APrefixMeansItsNamespace) {
  EXPECT_EQ(FieldsOf("From: <sip:a@x>\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 7"),
            (Fields{{"", "From", "<sip:a@x>"}, {std::string(kImdnNamespace), "Message-ID", "7"}}));
  EXPECT_EQ(FieldsOf("imdn.Message-ID: 7"), (Fields{{std::string(kImdnNamespace), "Message-ID", "7"}}))
      << "clients leave the NS out";
  EXPECT_EQ(FieldsOf("x.y.z: 7"), (Fields{{"x", "y.z", "7"}})) << "a prefix that nothing binds";
}

TEST(CpimHeader, NsIsNsUnderAnyPrefixOfItsNamespace) {
  const std::string core = "NS: core <urn:ietf:params:cpim-headers:>\r\n";
  EXPECT_EQ(FieldsOf(core + "core.NS: e <urn:e>\r\ncore.Subject: s\r\ne.Name: v"),
            (Fields{{"", "Subject", "s"}, {"urn:e", "Name", "v"}}));
  EXPECT_EQ(FieldsOf("NS: <urn:e>\r\nNS: f <urn:f>\r\nf.Name: v\r\nOther: w"),
            (Fields{{"urn:f", "Name", "v"}, {"urn:e", "Other", "w"}}))
      << "without a prefix it is NS whatever the default namespace";
}

TEST(CpimHeader, AFieldHasAName) {
  for (const char* header : {": v", ".: v", "imdn.: v", "no colon", "two words: v"}) {
    EXPECT_FALSE(ReadCpim(WithHeader(header))) << header;
  }
}

}  // namespace
}  // namespace protocol::cpm
