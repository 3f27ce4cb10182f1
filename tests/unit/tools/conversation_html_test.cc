// The exported page: complete in itself, and nobody's text becomes markup.

#include "tools/cms-admin/conversation_html.h"

#include <cstdlib>
#include <ctime>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/unit/tools/conversation_fixture.h"

namespace admin_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class ConversationHtmlTest : public testing::Test {
 protected:
  ConversationHtmlTest() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
  static std::string Page(const Answer& answer, const std::string& octets = {}) {
    std::ostringstream out;
    admin::WriteConversationHtml(
        answer.Read(), [&](const admin::ConversationObject&, std::size_t) { return octets; }, out);
    return out.str();
  }
};

/// All tags that a page may have, with all attributes that they may have.
void ExpectOnlyKnownMarkup(const std::string& page) {
  const std::regex tag(R"(<(/?)([A-Za-z!][^\s>]*)([^>]*)>)");
  const std::regex attribute(R"rx(\s+([a-zA-Z-]+)="([^"]*)")rx");
  const std::set<std::string> tags{"!DOCTYPE", "html", "head",   "meta",    "title",     "style", "body",
                                   "header",   "h1",   "h2",     "p",       "ul",        "li",    "bdi",
                                   "small",    "main", "footer", "article", "div",       "a",     "b",
                                   "br",       "span", "figure", "img",     "figcaption"};
  const std::set<std::string> attributes{"lang", "charset", "http-equiv", "content", "name", "class",
                                         "id",   "dir",     "href",       "alt",     "src",  "title"};
  const auto body = page.substr(page.find("</style>"));
  for (std::sregex_iterator it(body.begin(), body.end(), tag), end; it != end; ++it) {
    EXPECT_TRUE(tags.contains((*it)[2])) << it->str();
    const std::string rest = (*it)[3];
    for (std::sregex_iterator a(rest.begin(), rest.end(), attribute); a != end; ++a) {
      EXPECT_TRUE(attributes.contains((*a)[1])) << it->str();
      if ((*a)[1] == "href") EXPECT_EQ(std::string((*a)[2]).front(), '#') << it->str();
      if ((*a)[1] == "src") EXPECT_TRUE(std::string((*a)[2]).starts_with("data:image/")) << it->str();
    }
  }
}

constexpr std::string_view kEvil =
    "<script>alert(1)</script>\"'><img src=x "
    "onerror=alert(2)>&amp;javascript:alert(3)\u202e\x1b[31m\n--></title></style>";

TEST_F(ConversationHtmlTest, HostileTextInEveryField) {
  Answer answer("group");
  for (const char* key : {"folder", "subject", "peer"}) answer.head()[key] = kEvil;
  auto& object = answer.Add(0, kEvil);
  for (const char* key :
       {"folder", "kind", "from", "from_name", "subject", "malformed", "contribution_id", "imdn_message_id"})
    object[key] = kEvil;
  object["flags"] = boost::json::array({kEvil});
  object["files"] = boost::json::array(
      {boost::json::object{
           {"name", kEvil}, {"type", kEvil}, {"description", kEvil}, {"url", "javascript:alert(4)"}},
       boost::json::object{{"name", kEvil}, {"type", "image/png"}, {"size", 3}, {"stored", true}},
       boost::json::object{
           {"name", std::string(100'000, '<')}, {"type", "image/svg+xml"}, {"size", 3}, {"stored", true}}});
  answer.AddNotice(5, kEvil, "displayed", kEvil)["direction"] = "sent";
  auto& reply = answer.Add(10, kEvil);
  reply["in_reply_to_contribution_id"] = kEvil;
  auto& session = answer.Add(20);
  session["kind"] = "session-info";
  session["subject"] = kEvil;
  session["session"] = boost::json::object{{"type", kEvil}, {"participants", boost::json::array({kEvil})}};
  auto& group = answer.Add(30);
  group["kind"] = "group-state";
  group["group"] = boost::json::object{
      {"participants", boost::json::array({boost::json::object{{"address", kEvil}, {"name", kEvil}}})}};

  const auto page = Page(answer, "<svg onload=alert(5)>");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(page, Not(HasSubstr("<svg")));
  EXPECT_THAT(page, Not(HasSubstr("\u202e")));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  ExpectOnlyKnownMarkup(page);
}

TEST_F(ConversationHtmlTest, ThePolicyLetsNothingThroughButItsOwnStyle) {
  const auto page = Page(Answer());
  EXPECT_THAT(page, HasSubstr("default-src 'none'; img-src data:; style-src 'sha256-"));
  EXPECT_THAT(page, HasSubstr("base-uri 'none'; form-action 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("unsafe-inline")));
  EXPECT_THAT(page, Not(HasSubstr("http:")));
  EXPECT_THAT(page, Not(HasSubstr("https:")));
  EXPECT_THAT(page, Not(HasSubstr("style=\""))) << "the policy would not let it through";
}

TEST_F(ConversationHtmlTest, RasterImagesAreInlineAndNothingElse) {
  Answer answer;
  const auto file = [](std::string_view type) {
    return boost::json::array(
        {boost::json::object{{"name", "f"}, {"type", type}, {"size", 3}, {"stored", true}}});
  };
  answer.Add(0)["files"] = file("image/png");
  EXPECT_THAT(Page(answer, "abc"), HasSubstr("src=\"data:image/png;base64,YWJj\""));
  EXPECT_THAT(Page(answer, ""), Not(HasSubstr("<img"))) << "its octets cannot be had";
  for (const char* type : {"image/svg+xml", "text/html", "application/pdf", "image/png;x=\"><script>"}) {
    Answer other;
    other.Add(0)["files"] = file(type);
    EXPECT_THAT(Page(other, "abc"), Not(HasSubstr("<img"))) << type;
  }
}

TEST_F(ConversationHtmlTest, LargeImagesAreNamedOnly) {
  Answer answer;
  answer.Add(0)["files"] = boost::json::array(
      {boost::json::object{{"name", "big.png"}, {"type", "image/png"}, {"size", 9 << 20}, {"stored", true}}});
  const auto page = Page(answer, "abc");
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, HasSubstr("big.png"));
}

TEST_F(ConversationHtmlTest, BubblesTicksAndReplies) {
  Answer answer;
  answer.Add(0, "question")["contribution_id"] = "a";
  auto& sent = answer.Add(60, "answer");
  sent["direction"] = "sent";
  sent["contribution_id"] = "b";
  sent["in_reply_to_contribution_id"] = "a";
  sent["imdn_message_id"] = "m";
  answer.AddNotice(120, "m", "displayed", "tel:+2");
  const auto page = Page(answer);
  EXPECT_THAT(page, HasSubstr("<article id=\"o0\" class=\"theirs\">"));
  EXPECT_THAT(page, HasSubstr("<article id=\"o1\" class=\"mine\">"));
  EXPECT_THAT(page, HasSubstr("href=\"#o0\""));
  EXPECT_THAT(page, HasSubstr("title=\"read\""));
  EXPECT_THAT(page, HasSubstr("read 00:02"));
  EXPECT_THAT(page, HasSubstr("<p dir=\"auto\">question</p>"));
  EXPECT_THAT(page, Not(HasSubstr("id=\"o2\""))) << "the notice shows as ticks";
  ExpectOnlyKnownMarkup(page);
}

}  // namespace
}  // namespace admin_test
