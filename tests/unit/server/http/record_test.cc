// POST /v1/accounts/{address}/record: what a request says becomes an event; MailStore::Record has its own
// tests.
#include <gmock/gmock.h>

#include "server/http/event_json.h"
#include "tests/support/store_access.h"
#include "tests/unit/server/http/http_fixture.h"

namespace server_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kTarget = "/v1/accounts/%2B15550100111/record";
constexpr const char* kMultipart = "multipart/form-data; boundary=b";

/// What every event of these tests has, and what is added to it.
std::string Json(const std::string& more, const std::string& id = "Qv7x2m0aKf") {
  return R"({"direction":"received","from":"tel:+15550100222","date":"2016-03-02T10:15:01+01:00",)"
         R"("conversation_id":"6c2d1f40","contribution_id":"0b7de2c1","imdn_message_id":")" +
         id + "\"," + more + "}";
}

std::string Part(const std::string& name, const std::string& octets) {
  return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + octets + "\r\n";
}

class RecordHttpTest : public HttpTest {
 protected:
  RecordHttpTest() { MakeAccount(); }

  Answer Record(const std::string& json) { return Post(kTarget, json); }
  Answer RecordParts(const std::string& parts) {
    return Ask(beast::http::verb::post, kTarget, parts, kMultipart);
  }
  /// The object that an answer names.
  std::string Stored(const Answer& answer) {
    const auto account = (*store_->FindAccount("tel:+15550100111"))->id;
    const auto folder = store_->GetFolder(account, std::string(answer.json().at("folder").as_string()));
    return tests::OctetsOf(*store_, folder->ref)
        .at(static_cast<std::uint32_t>(answer.json().at("uid").as_int64()));
  }
  std::uint64_t Messages() { return (*store_->FindAccount("tel:+15550100111"))->used_messages; }
};

TEST_F(RecordHttpTest, AChatMessageIsRecordedOnce) {
  const auto made = Record(Json(R"("event":"chat","text":"Lunch?")"));
  ASSERT_EQ(made.status, 201U) << made.body;
  EXPECT_EQ(made.json().at("folder").as_string(), "Default/tel:+15550100222");
  EXPECT_EQ(made.json().at("uid").as_int64(), 1);
  EXPECT_GT(made.json().at("uidvalidity").as_int64(), 0);
  EXPECT_THAT(std::string(made.json().at("emailid").as_string()), StartsWith("M"));
  EXPECT_TRUE(made.json().at("created").as_bool());
  const auto octets = Stored(made);
  EXPECT_THAT(octets, StartsWith("Date: Wed, 02 Mar 2016 10:15:01 +0100\r\n"));
  EXPECT_THAT(octets, HasSubstr("\r\n\r\nLunch?"));

  const auto again = Record(Json(R"("event":"chat","text":"Lunch?")"));
  EXPECT_EQ(again.status, 200U) << again.body;
  EXPECT_FALSE(again.json().at("created").as_bool());
  EXPECT_EQ(again.json().at("emailid"), made.json().at("emailid"));
}

TEST_F(RecordHttpTest, EveryKindOfEvent) {
  const std::vector<std::string> events = {
      R"("event":"chat","text":"a","notify":"","flags":["\\Seen","work"])",
      R"("event":"standalone","subject":"Timetable","contents":[{"text":"a"},{"type":"text/plain","text":"b","name":"b.txt"}])",
      R"("event":"imdn","imdn":{"message_id":"m","date_time":"2016-03-02T09:15:04Z","type":"display","status":"displayed"})",
      R"("event":"sms","text":"Running late")",
      R"("event":"mms","correlator":"MMS-42","contents":[{"type":"application/smil","text":"<smil/>"},{"type":"image/png","text":"x","id":"i@x"}])",
      R"("event":"file-http","files":[{"size":9,"name":"a.jpg","content_type":"image/jpeg","url":"https://ft.example.net/1","until":"2016-04-01T00:00:00Z"}])",
      R"("event":"session-start","participants":["tel:+15550100111"])",
      R"("event":"file-transfer","participants":["tel:+15550100111"],"contents":[{"type":"text/plain","name":"a.txt","text":"a"}])",
      R"("event":"session-end","group":true,"group_state":{"timestamp":"2016-03-02T11:05:30+01:00","last_focus_session_id":"sip:f@x","participants":[{"name":"Ana","address":"tel:+15550100111"}]})",
      R"("event":"media","contents":[{"type":"image/jpeg","name":"quay.jpg","text":"x"}])"};
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto made = Record(Json(events[i], "id" + std::to_string(i)));
    EXPECT_EQ(made.status, 201U) << events[i] << "\n" << made.body;
  }
  EXPECT_EQ(Messages(), events.size());
}

TEST_F(RecordHttpTest, FilesComeAsParts) {
  const std::string file = std::string(300'000, '\xff') + "\r\n--b is not a boundary\r\n-";
  const auto made = RecordParts(
      Part("event",
           Json(R"("event":"file-transfer","participants":["tel:+15550100111"],"contents":[)"
                R"({"type":"image/jpeg","name":"quay.jpg"},{"text":"beside it"},{"type":"audio/amr"}])")) +
      Part("file", std::string(file).replace(file.find("\r\n--b"), 5, "\r\n--c")) + Part("file", "") +
      "--b--\r\n");
  ASSERT_EQ(made.status, 201U) << made.body;
  const auto octets = Stored(made);
  EXPECT_THAT(octets, HasSubstr("filename=\"quay.jpg\""));
  EXPECT_THAT(octets, HasSubstr("size:" + std::to_string(file.size())));
  EXPECT_THAT(octets, HasSubstr("////////"));

  const auto related =
      Ask(beast::http::verb::post, kTarget,
          "--b\r\nContent-Type: application/json\r\n\r\n" +
              Json(R"("event":"standalone","contents":[{"text":"See"},{"type":"image/png"}])", "another") +
              "\r\n--b\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--b--",
          "multipart/related; boundary=\"b\"; type=\"application/json\"");
  EXPECT_EQ(related.status, 201U) << related.body;
  EXPECT_THAT(Stored(related), HasSubstr("iVBORw"));
}

TEST_F(RecordHttpTest, WhatIsWrongIsNamed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("event":"call")", "event must be one of chat, standalone"},
      {R"("text":"x")", "event must be one of"},
      {R"("event":"chat")", "text is missing"},
      {R"("event":"chat","text":7)", "text must be a text"},
      {R"("event":"chat","text":"x","contents":[])", "contents are not for"},
      {R"("event":"chat","contents":[{"text":"x"},{"text":"y"}])", "contents are more"},
      {R"("event":"chat","text":"x","colour":"red")", "colour is no key"},
      {R"("event":"chat","contents":[{"text":"x","tyep":"y"}])", "contents[0].tyep is no key"},
      {R"("event":"chat","text":"x","direction":"up")", "direction must be"},
      {R"("event":"chat","text":"x","date":"yesterday")", "date must be a time"},
      {R"("event":"chat","text":"x","expires":-1)", "expires must be a time"},
      {R"("event":"chat","text":"x","expires":"2020-01-01T00:00:00Z")", "Not allowed"},
      {R"("event":"chat","text":"x","expires":"9999-12-31T00:00:00Z")", "Not allowed"},
      {R"("event":"chat","text":"x","flags":["a b"])", "flags must be"},
      {R"("event":"chat","text":"x","group":"yes")", "group must be true or false"},
      {R"("event":"imdn")", "imdn is missing"},
      {R"("event":"imdn","imdn":{"message_id":"m","date_time":"t","status":"displayed"})",
       "imdn.status is none"},
      {R"("event":"session-end","group_state":{"last_focus_session_id":"f"})", "no group state"},
      {R"("event":"media")", "contents must be one"},
      {R"("event":"standalone","contents":[{"type":"image/png"}])", "contents[0] has no text"},
      {R"("event":"standalone","contents":[{"type":"a\r\nX: y","text":"x"}])", "content type"},
      {R"("event":"chat","text":"x","subject":"a\u0000b")", "Subject"},
  };
  for (const auto& [more, message] : cases) {
    // Of two keys of one name the last counts.
    const auto refused = Record(Json(more));
    EXPECT_THAT(refused.status, testing::AnyOf(400U, 403U)) << more;
    EXPECT_THAT(refused.body,
                HasSubstr(boost::json::serialize(boost::json::string(message)).substr(1, message.size())))
        << more;
  }
  EXPECT_EQ(Record("no JSON").code(), "not_json");
  EXPECT_EQ(Record("[]").code(), "not_json");
  EXPECT_EQ(Record("").code(), "not_json");
  EXPECT_EQ(Record(std::string((1 << 20) + 1, ' ')).status, 413U);
  EXPECT_EQ(Post("/v1/accounts/%2B15550100999/record", Json(R"("event":"chat","text":"x")")).status, 404U);
  EXPECT_EQ(Post("/v1/accounts/nobody/record", Json(R"("event":"chat","text":"x")")).status, 400U);
  EXPECT_EQ(AskMonitor("/v1/accounts/%2B15550100111/record").status, 404U);
  EXPECT_EQ(Messages(), 0U);
}

TEST_F(RecordHttpTest, AMultipartThatLies) {
  const auto event = Part("event", Json(R"("event":"media","contents":[{"type":"image/png"}])"));
  const auto refused = [&](const std::string& parts, const std::string& why) {
    const auto answer = RecordParts(parts);
    EXPECT_EQ(answer.status, 400U) << parts;
    EXPECT_THAT(answer.body, HasSubstr(why)) << parts;
  };
  refused("", "ends before");
  refused("--b--\r\n", "no part");
  refused(event, "ends before");
  refused(event + "--b--\r\n", "no part of the request brings a file");
  refused(event + Part("file", "x"), "ends before");
  refused(event + Part("file", "x") + Part("file", "y") + "--b--", "more files than the 1");
  refused(Part("file", "x") + "--b--", "named \\\"event\\\"");
  refused(Part("event", "x") + "--b--", "JSON object");
  refused("--b nonsense\r\n\r\n" + event + "--b--", "cannot be read");
  EXPECT_EQ(RecordParts(Part("event", std::string((1 << 20) + 1, ' ')) + "--b--").status, 413U);
  // The fixture's messages have at most 1 MiB.
  EXPECT_EQ(RecordParts(event + Part("file", std::string((1 << 20) + 1, 'x')) + "--b--").status, 413U);
  EXPECT_EQ(Messages(), 0U);
  store_->DrainJanitor();
  EXPECT_EQ(RecordParts(event + Part("file", "x") + "--b--\r\nepilogue").status, 201U);
}

TEST_F(RecordHttpTest, QuotasAreToldAndWhatNeverFitsIsNotTakenWhole) {
  const auto account = (*store_->FindAccount("tel:+15550100111"))->id;
  const auto event = Part("event", Json(R"("event":"media","contents":[{"type":"image/png"}])"));
  ASSERT_TRUE(store_->SetQuota(account, {.octets = 1000}));
  // The end of the request is missing: refused before it would come.
  const auto never = RecordParts(event + Part("file", std::string(200'000, 'x')));
  EXPECT_EQ(never.status, 507U);
  EXPECT_THAT(never.body, HasSubstr("the account may hold 1000 octets, and the files have more"));
  const auto full = RecordParts(event + Part("file", std::string(900, 'x')) + "--b--");
  EXPECT_EQ(full.status, 507U);
  EXPECT_THAT(full.body, HasSubstr("Quota exceeded: the account may hold 1000 octets and would have"));
  EXPECT_EQ(Messages(), 0U);
  store_->DrainJanitor();
}

}  // namespace
}  // namespace server_test
