#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "protocol/cpm/address.h"

namespace protocol::cpm {
namespace {

struct AddressCase {
  const char* name;
  std::string text;
  std::optional<std::string> canonical;
};

class CanonicalAddress : public testing::TestWithParam<AddressCase> {};
TEST_P(CanonicalAddress, Is) { EXPECT_EQ(Canonical(GetParam().text), GetParam().canonical); }

const std::optional<std::string> kNone;
const std::optional<std::string> kTel = "tel:+15550100222";
const std::optional<std::string> kAnonymous = std::string(kAnonymousAddress);

INSTANTIATE_TEST_SUITE_P(
    SpecNote12, CanonicalAddress,
    testing::Values(
        AddressCase{"tel", "tel:+15550100222", kTel}, AddressCase{"tel_upper", "TEL:+15550100222", kTel},
        AddressCase{"tel_separators", "tel:+1-(555).010-0222", kTel},
        AddressCase{"tel_parameters", "tel:+15550100222;phone-context=example.net;isub=1", kTel},
        AddressCase{"tel_named", "\"Bea <x>\" <tel:+1-555-0100222;x=y>;tag=z", kTel},
        AddressCase{"tel_local", "tel:12345;phone-context=+1", "tel:12345"},
        AddressCase{"tel_local_symbols", "tel:*31#A", "tel:*31#a"},
        AddressCase{"sip_user_phone", "sip:+15550100222@ims.example.net;user=phone", kTel},
        AddressCase{"sip_user_phone_any_case", "SIP:+15550100222@ims.example.net;USER=Phone;lr", kTel},
        AddressCase{"sip_phone_separators", "sip:+1-555-0100222@gw;user=phone", kTel},
        AddressCase{"sip_phone_parameters", "sip:+15550100222;phone-context=x@gw;user=phone", kTel},
        AddressCase{"sip_phone_local", "sip:12345@gw;user=phone", "tel:12345"},
        AddressCase{"sip_e164_without_parameter", "sip:+15550100222@ims.example.net", kTel},
        AddressCase{"sip_escaped_plus", "sip:%2B15550100222@ims.example.net", kTel},
        AddressCase{"sip_escaped_digit", "sip:+1555010022%32@x", kTel},
        AddressCase{"sips_phone", "sips:+15550100222@x;user=phone", kTel},
        AddressCase{"sip_plus_but_no_number", "sip:+bea@x", "sip:+bea@x"},
        AddressCase{"sip_number_without_phone", "sip:12345@x", "sip:12345@x"},
        AddressCase{"sip", "sip:user1@example.com", "sip:user1@example.com"},
        AddressCase{"sip_host_case", "sip:User1@Example.COM", "sip:User1@example.com"},
        AddressCase{"sips", "sips:a@b", "sip:a@b"},
        AddressCase{"sip_parameters_headers", "sip:a@b;transport=tcp;lr?subject=x", "sip:a@b"},
        AddressCase{"sip_default_port", "sip:a@b:5060", "sip:a@b"},
        AddressCase{"sip_padded_port", "sip:a@b:05060;lr", "sip:a@b"},
        AddressCase{"sip_other_port", "sip:a@b:5070", "sip:a@b:5070"},
        AddressCase{"sip_password", "sip:a:secret@b", "sip:a@b"},
        AddressCase{"sip_escape_undone", "sip:%61l%69ce@b", "sip:alice@b"},
        AddressCase{"sip_escape_kept", "sip:a%2fb%40c@d", "sip:a%2Fb%40c@d"},
        AddressCase{"sip_slash_escaped", "sip:a/b@d", "sip:a%2Fb@d"},
        AddressCase{"sip_ipv6", "sip:a@[2001:DB8::1]:5060", "sip:a@[2001:db8::1]"},
        AddressCase{"sip_no_user", "sip:conference.example.net", "sip:conference.example.net"},
        AddressCase{"sip_trailing_dot", "sip:a@b.example.", "sip:a@b.example"},
        AddressCase{"name_addr", "Bea <sip:bea@ims.example.net>;tag=1", "sip:bea@ims.example.net"},
        AddressCase{"spaces", "  sip:a@b \r\n", "sip:a@b"},
        AddressCase{"anonymous_uri", "\"Anonymous\" <sip:anonymous@anonymous.invalid>", kAnonymous},
        AddressCase{"anonymous_elsewhere", "sip:Anonymous@ims.example.net", kAnonymous},
        AddressCase{"anonymous_word", "Anonymous", kAnonymous}, AddressCase{"empty", "", kNone},
        AddressCase{"bare_number", "+15550100222", kNone}, AddressCase{"mail", "mailto:a@b", kNone},
        AddressCase{"tel_empty", "tel:", kNone}, AddressCase{"tel_plus_only", "tel:+", kNone},
        AddressCase{"tel_letters", "tel:+1555x", kNone}, AddressCase{"tel_plus_inside", "tel:1+5", kNone},
        AddressCase{"sip_no_host", "sip:a@", kNone}, AddressCase{"sip_empty_user", "sip:@b", kNone},
        AddressCase{"sip_bad_host", "sip:a@b c", kNone},
        AddressCase{"sip_two_trailing_dots", "sip:a@b..", kNone},
        AddressCase{"sip_bad_port", "sip:a@b:x", kNone}, AddressCase{"sip_bad_escape", "sip:a%zz@b", kNone},
        AddressCase{"sip_control", std::string("sip:a\0b@c", 9), kNone},
        AddressCase{"too_long", "sip:" + std::string(300, 'a') + "@b", kNone}),
    [](const auto& info) { return info.param.name; });

class LoginAddress : public testing::TestWithParam<AddressCase> {};
TEST_P(LoginAddress, Is) { EXPECT_EQ(ParseLogin(GetParam().text), GetParam().canonical); }
INSTANTIATE_TEST_SUITE_P(
    Typed, LoginAddress,
    testing::Values(AddressCase{"number", "+15550100222", kTel}, AddressCase{"digits", "15550100222", kTel},
                    AddressCase{"written_number", " +1 (555) 010-0222 ", kTel},
                    AddressCase{"user_at_host", "user1@Example.com", "sip:user1@example.com"},
                    AddressCase{"number_at_host", "+15550100222@ims.example.net", kTel},
                    AddressCase{"tel", "tel:+1-555-0100222", kTel},
                    AddressCase{"sip", "sip:user1@example.com;lr", "sip:user1@example.com"},
                    AddressCase{"word", "bob", kNone}, AddressCase{"empty", "", kNone},
                    AddressCase{"anonymous", "anonymous", kNone},
                    AddressCase{"anonymous_uri", "sip:anonymous@anonymous.invalid", kNone},
                    AddressCase{"other_scheme", "mailto:a@b", kNone}, AddressCase{"angle", "<a@b>", kNone}),
    [](const auto& info) { return info.param.name; });

TEST(AddressPropertyTest, CanonicalIsAFixedPointAndFitsAFolderName) {
  EXPECT_TRUE(rc::check([] {
    const auto alphabet = rc::gen::elementOf(std::string("aZ09+-.%2F@:;=<>\"/ \\?&!#*~[]_\xc3"));
    const std::string prefix = *rc::gen::element<std::string>("tel:", "sip:", "sips:", "<sip:", "");
    const std::string text = prefix + *rc::gen::container<std::string>(alphabet);
    for (const auto& result : {Canonical(text), ParseLogin(text)}) {
      if (!result) continue;
      RC_ASSERT(Canonical(*result) == result);
      RC_ASSERT(result->size() <= 255U);
      for (const char c : *result) RC_ASSERT(c > 0x20 && c < 0x7f && c != '/' && c != '"' && c != '<');
    }
  }));
}

}  // namespace
}  // namespace protocol::cpm
