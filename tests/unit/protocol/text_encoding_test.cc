#include <gtest/gtest.h>

#include "protocol/text/base64.h"
#include "protocol/text/modified_utf7.h"

namespace protocol::text {
namespace {

struct NameCase {
  std::string_view utf8;
  std::string_view wire;
};

TEST(ModifiedUtf7Test, KnownAnswersBothWays) {
  const std::vector<NameCase> all{
      {"", ""},
      {"INBOX", "INBOX"},
      {"&", "&-"},
      {"a&b&-", "a&-b&--"},
      {"Entw\xc3\xbcrfe", "Entw&APw-rfe"},
      {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
       "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},  // RFC 3501 §5.1.3
      {"\xf0\x9f\x98\x80", "&2D3eAA-"},     // U+1F600, a surrogate pair
      {"\xc3\xbc&", "&APw-&-"},
      {"\t", "&AAk-"},
      {"\x7f", "&AH8-"},
      {"\xc3\xbc\xc3\xa4", "&APwA5A-"},
      {"\xef\xbf\xbd", "&,,0-"},
  };
  for (const auto& c : all) {
    EXPECT_EQ(ToModifiedUtf7(c.utf8), c.wire);
    EXPECT_EQ(FromModifiedUtf7(c.wire), c.utf8);
  }
}

TEST(ModifiedUtf7Test, RefusesWhatHasAnotherSpellingOrNone) {
  const std::vector<std::pair<std::string_view, std::string_view>> all{
      {"a&", "shift without end"},
      {"&APw", "shift without end"},
      {"&AGE-", "an encoded printable character"},
      {"&ACY-", "an encoded ampersand"},
      {"&APw=-", "padding"},
      {"&AP/w-", "slash is not in this alphabet"},
      {"&A-", "half an octet"},
      {"&AP-", "one octet"},
      {"&APx-", "non-zero bits at the end"},
      {"&APwA-", "a superfluous digit"},
      {"&APw-&AOQ-", "two shifts where one would do"},
      {"&2D0-", "a high surrogate alone"},
      {"&3gA-", "a low surrogate alone"},
      {"&2D3YPQ-", "two high surrogates"},
      {"a\xc3\xbc", "8-bit octets"},
      {"a\tb", "a control character"},
      {"&AP\xc3-", "8-bit octets in a shift"},
  };
  for (const auto& [wire, why] : all) EXPECT_FALSE(FromModifiedUtf7(wire)) << wire << ": " << why;
}

TEST(ModifiedUtf7Test, OctetsThatAreNoUtf8BecomeReplacementCharacters) {
  EXPECT_EQ(ToModifiedUtf7("a\xff"), "a&,,0-");
  EXPECT_EQ(ToModifiedUtf7("\xed\xa0\x80"), "&,,3,,f,9-");
  EXPECT_EQ(ToModifiedUtf7("\xc0\xaf"), "&,,3,,Q-");
}

TEST(Base64Test, KnownAnswersBothWays) {  // RFC 4648 §10
  const std::vector<NameCase> all{{"", ""},
                                  {"f", "Zg=="},
                                  {"fo", "Zm8="},
                                  {"foo", "Zm9v"},
                                  {"foob", "Zm9vYg=="},
                                  {"fooba", "Zm9vYmE="},
                                  {"foobar", "Zm9vYmFy"},
                                  {"\xff\xfe\xfb", "//77"}};
  for (const auto& c : all) {
    EXPECT_EQ(EncodeBase64(c.utf8), c.wire);
    EXPECT_EQ(DecodeBase64(c.wire), c.utf8);
  }
}

TEST(Base64Test, RefusesWhatIsNotCanonical) {
  for (const std::string_view bad : {"Z", "Zg", "Zg=", "Zg===", "====", "=",
                                     "Zh==", "Zm9=", "Zm 8=", "Zm8=Zm8=", "Zm8=\r\n", "Z=g=", "Zm9v\n"}) {
    EXPECT_FALSE(DecodeBase64(bad)) << bad;
  }
}

}  // namespace
}  // namespace protocol::text
