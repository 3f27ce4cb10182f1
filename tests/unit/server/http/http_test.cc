#include <gmock/gmock.h>
#include <sys/stat.h>

#include "server/http/error_map.h"
#include "server/http/message_frame.h"
#include "server/http/url.h"
#include "tests/unit/server/http/http_fixture.h"

namespace server_test {
namespace {

using testing::HasSubstr;

TEST_F(HttpTest, TheOperatorsSocketIsForItsOwnerOnly) {
  struct stat status{};
  ASSERT_EQ(::stat(socket_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(HttpTest, ASocketThatIsServedIsNotTaken) {
  asio::io_context other;
  server::net::TaskGroup tasks;
  http::HttpServer second(other, *services_, tasks);
  const auto listening = second.ListenOperator(socket_path());
  ASSERT_FALSE(listening);
  EXPECT_THAT(listening.error(), HasSubstr("another process"));
}

TEST_F(HttpTest, AFileInTheWayOfTheSocketStays) {
  const auto path = directory_ + "/file";
  std::fclose(std::fopen(path.c_str(), "w"));
  asio::io_context other;
  server::net::TaskGroup tasks;
  http::HttpServer second(other, *services_, tasks);
  EXPECT_FALSE(second.ListenOperator(path));
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(HttpTest, MonitoringSeesHealthAndMetricsAndNothingElse) {
  MakeAccount();
  EXPECT_EQ(AskMonitor("/health").status, 200U);
  const auto metrics = AskMonitor("/metrics");
  EXPECT_EQ(metrics.status, 200U);
  EXPECT_THAT(metrics.body, HasSubstr("cmsd_answer 42"));
  EXPECT_EQ(AskMonitor("/v1/accounts").status, 404U);
  EXPECT_EQ(AskMonitor("/v1/store/stats").status, 404U);
}

TEST_F(HttpTest, UnknownPathsAndMethodsAreToldApart) {
  EXPECT_EQ(Get("/v2").status, 404U);
  EXPECT_EQ(Get("/").status, 404U);
  EXPECT_EQ(Post("/health", "").status, 405U);
  EXPECT_EQ(Get("/v1/accounts:load").status, 405U);
}

TEST_F(HttpTest, AnAccountIsMadeShownAndListed) {
  const auto made =
      Post("/v1/accounts", R"({"address":"tel:+1-555-0100-111","aliases":["sip:user1@Example.com"],
      "password":"secret","quota_octets":1000,"quota_messages":5})");
  ASSERT_EQ(made.status, 201U) << made.body;
  const auto account = made.json();
  EXPECT_EQ(account.at("address"), "tel:+15550100111");
  EXPECT_EQ(account.at("aliases").at(0), "sip:user1@example.com");
  EXPECT_EQ(account.at("role"), "user");
  EXPECT_EQ(account.at("status"), "active");
  EXPECT_EQ(account.at("has_password"), true);
  EXPECT_EQ(account.at("has_scram"), true);
  EXPECT_EQ(account.at("quota_octets").to_number<int>(), 1000);
  EXPECT_THAT(made.body, testing::Not(HasSubstr("argon2")));
  for (const auto* name :
       {"tel:+15550100111", "+15550100111", "user1%40example.com", "sip%3Auser1%40example.com"})
    EXPECT_EQ(Get(std::string("/v1/accounts/") + name).body, made.body) << name;
  EXPECT_EQ(Get("/v1/accounts").json().at("accounts").at(0), boost::json::value(account));
}

TEST_F(HttpTest, ANewAccountHasTheProfilesFolders) {
  MakeAccount();
  const auto folders = Get("/v1/accounts/+15550100111/folders").json();
  std::map<std::string, std::string> uses;
  for (const auto& folder : folders.at("folders").as_array())
    uses[std::string(folder.at("path").as_string())] = std::string(folder.at("use").as_string());
  const std::map<std::string, std::string> expected = {
      {"INBOX", ""},        {"Default", ""},    {"Drafts", "\\Drafts"},  {"Sent", "\\Sent"},
      {"Trash", "\\Trash"}, {"Junk", "\\Junk"}, {"Archive", "\\Archive"}};
  EXPECT_EQ(uses, expected);
}

TEST_F(HttpTest, ListsArePaged) {
  for (int i = 0; i < 5; ++i) MakeAccount("tel:+1555010011" + std::to_string(i));
  std::string target = "/v1/accounts?limit=2";
  std::vector<std::string> addresses;
  for (int page = 0; page < 3; ++page) {
    const auto json = Get(target).json();
    for (const auto& account : json.at("accounts").as_array())
      addresses.emplace_back(account.at("address").as_string());
    if (page < 2)
      target = "/v1/accounts?limit=2&after=" + std::to_string(json.at("next").to_number<std::uint64_t>());
    EXPECT_EQ(json.contains("next"), page < 2);
  }
  EXPECT_EQ(addresses.size(), 5U);
  EXPECT_EQ(Get("/v1/accounts?limit=0").status, 400U);
  EXPECT_EQ(Get("/v1/accounts?limit=1001").status, 400U);
  EXPECT_EQ(Get("/v1/accounts?limit=%zz").status, 400U);
  EXPECT_EQ(Get("/v1/accounts?after=x").status, 400U);
}

TEST_F(HttpTest, StatusPasswordAndDeletionTakeEffect) {
  MakeAccount();
  const std::string account = "/v1/accounts/+15550100111";
  EXPECT_EQ(Put(account + "/status", R"({"status":"disabled"})").status, 200U);
  EXPECT_EQ(Get(account).json().at("status"), "disabled");
  EXPECT_EQ(Put(account + "/status", R"({"status":"gone"})").status, 400U);
  EXPECT_EQ(Put(account + "/password", R"({"password":"new"})").status, 200U);
  EXPECT_EQ(Get(account).json().at("has_password"), true);
  EXPECT_EQ(Ask(beast::http::verb::delete_, account).status, 200U);
  EXPECT_EQ(Get(account).status, 404U);
  EXPECT_EQ(Ask(beast::http::verb::delete_, account).code(), "no_such_account");
}

struct BadBody {
  const char* name;
  const char* body;
  unsigned status;
};
class BadAccount : public HttpTest, public testing::WithParamInterface<BadBody> {};
TEST_P(BadAccount, IsRefusedWithAReason) {
  MakeAccount("tel:+15550100999");
  const auto answer = Post("/v1/accounts", GetParam().body);
  EXPECT_EQ(answer.status, GetParam().status) << answer.body;
  EXPECT_FALSE(answer.json().at("error").at("message").as_string().empty());
}
INSTANTIATE_TEST_SUITE_P(
    Bodies, BadAccount,
    testing::Values(BadBody{"Empty", "", 400}, BadBody{"NotJson", "{", 400}, BadBody{"Array", "[]", 400},
                    BadBody{"NoAddress", "{}", 400}, BadBody{"AddressIsANumber", R"({"address":1})", 400},
                    BadBody{"AddressIsNone", R"({"address":"hello world"})", 400},
                    BadBody{"Taken", R"({"address":"+15550100999"})", 409},
                    BadBody{"TakenAlias", R"({"address":"+15550100111","aliases":["+15550100999"]})", 409},
                    BadBody{"Aliases", R"({"address":"+15550100111","aliases":"x"})", 400},
                    BadBody{"Role", R"({"address":"+15550100111","role":"root"})", 400},
                    BadBody{"Quota", R"({"address":"+15550100111","quota_octets":-1})", 400},
                    BadBody{"Typo", R"({"address":"+15550100111","pasword":"x"})", 400},
                    BadBody{"PlainHash", R"({"address":"+15550100111","password_hash":"secret"})", 400},
                    BadBody{"Both", R"({"address":"+15550100111","password":"x","password_hash":"$6$x$y"})",
                            400}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(HttpTest, ABodyOverTheLimitIsRefused) {
  const auto answer = Post("/v1/accounts", std::string(2 << 20, ' '));
  EXPECT_EQ(answer.status, 413U);
  EXPECT_EQ(Get("/health").status, 200U);
}

TEST_F(HttpTest, GarbageInsteadOfARequestIsRefused) {
  asio::io_context context;
  asio::local::stream_protocol::socket socket(context);
  socket.connect(asio::local::stream_protocol::endpoint(socket_path()));
  asio::write(socket, asio::buffer(std::string_view("a1 LOGIN user secret\r\n\r\n")));
  std::string got;
  boost::system::error_code error;
  asio::read(socket, asio::dynamic_buffer(got), error);
  EXPECT_THAT(got, HasSubstr("HTTP/1.1 400"));
}

TEST_F(HttpTest, AccountsAreLoadedLineByLineAndBadLinesAreNamed) {
  const auto answer = Post(
      "/v1/accounts:load",
      "{\"address\":\"+15550100001\",\"password\":\"a\"}\r\n"
      "\n"
      "not json\n"
      "{\"address\":\"+15550100001\"}\n"
      "{\"address\":\"user2@example.com\",\"password_hash\":\"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwS"
      "MHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1\"}");
  ASSERT_EQ(answer.status, 200U);
  std::vector<boost::json::object> lines;
  for (std::size_t at = 0; at < answer.body.size();) {
    const auto end = answer.body.find('\n', at);
    lines.push_back(boost::json::parse(answer.body.substr(at, end - at)).as_object());
    at = end + 1;
  }
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[1].at("line").to_number<int>(), 3);
  EXPECT_EQ(lines[1].at("error").at("code"), "not_json");
  EXPECT_EQ(lines[3].at("line").to_number<int>(), 5);
  EXPECT_EQ(lines[3].at("address"), "sip:user2@example.com");
  // Lines 1 and 4 want the same address at the same time: one gets it.
  EXPECT_NE(lines[0].contains("error"), lines[2].contains("error"));
  EXPECT_EQ(Get("/v1/accounts").json().at("accounts").as_array().size(), 2U);
}

std::string Frame(const std::string& octets, std::initializer_list<std::string_view> flags,
                  const char* date = nullptr) {
  http::MessageFrame frame;
  frame.size = octets.size();
  for (const auto flag : flags) frame.flags.Insert(flag);
  if (date) frame.date = protocol::ParseDateTime(date);
  return http::Encode(frame) + octets;
}

TEST_F(HttpTest, WhatIsImportedIsExportedTheSame) {
  MakeAccount();
  const std::string messages = "/v1/accounts/+15550100111/messages?folder=Chats%2F2024";
  EXPECT_EQ(Put("/v1/accounts/+15550100111/folders?path=Chats%2F2024").status, 200U);
  std::string large(700'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 / 3);
  const std::string stream = Frame("From: a@b\r\n\r\none\r\n", {"\\Seen", "\\read-report-sent", "work"},
                                   " 7-Feb-1994 22:43:04 -0800") +
                             Frame(large, {"\\Flagged"}, "17-Jul-1996 02:44:25 +0200") +
                             Frame("Subject: 3\r\n\r\n", {}, "17-Jul-1996 02:44:26 +0000");
  const auto imported = Post(messages, stream);
  ASSERT_EQ(imported.status, 200U) << imported.body;
  EXPECT_EQ(imported.json().at("imported").to_number<int>(), 3);

  const auto exported = Get(messages);
  ASSERT_EQ(exported.status, 200U);
  std::string_view rest = exported.body;
  std::string again;
  for (std::uint32_t uid = 1; !rest.empty(); ++uid) {
    const auto end = rest.find('\n');
    auto frame = http::DecodeFrame(rest.substr(0, end));
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->uid, protocol::Uid{uid});
    frame->uid.reset();
    again += http::Encode(*frame);
    again += rest.substr(end + 1, frame->size);
    rest.remove_prefix(end + 1 + frame->size);
  }
  EXPECT_TRUE(again == stream) << "octets, flags and dates";

  const auto from_two = Get(messages + "&from=2");
  EXPECT_EQ(http::DecodeFrame(from_two.body.substr(0, from_two.body.find('\n')))->uid, protocol::Uid{2});
}

TEST_F(HttpTest, ManyMessagesTakeSeveralPagesAndBatches) {
  MakeAccount();
  std::string stream;
  for (int i = 0; i < 700; ++i)
    stream += Frame("Subject: " + std::to_string(i) + "\r\n\r\n", {}, " 1-Jan-2020 00:00:00 +0000");
  const std::string messages = "/v1/accounts/+15550100111/messages";
  EXPECT_EQ(Post(messages, stream).json().at("imported").to_number<int>(), 700);
  const auto exported = Get(messages).body;
  int count = 0;
  for (auto at = exported.find("Subject: "); at != std::string::npos; at = exported.find("Subject: ", at + 1))
    ++count;
  EXPECT_EQ(count, 700);
}

TEST_F(HttpTest, BrokenImportsSayWhichMessage) {
  MakeAccount();
  const std::string messages = "/v1/accounts/+15550100111/messages";
  const auto good = Frame("x", {});
  EXPECT_THAT(Post(messages, good + "{}\n").body, HasSubstr("Message 2 is not announced"));
  EXPECT_THAT(Post(messages, good + "no json").body, HasSubstr("Message 2 is not announced"));
  EXPECT_THAT(Post(messages, good + "{\"size\":10}\nshort").body, HasSubstr("Message 2 is shorter"));
  EXPECT_THAT(Post(messages, "{\"size\":99999999}\n").body, HasSubstr("Message 1 is over the limit"));
  EXPECT_THAT(Post(messages, std::string(100'000, 'x')).body, HasSubstr("Message 1 is not announced"));
  EXPECT_EQ(Post(messages + "?folder=None", good).status, 409U);
  EXPECT_EQ(Get(messages + "?folder=None").code(), "no_such_folder");
  EXPECT_EQ(Get("/v1/accounts/+1999/messages").code(), "no_such_account");
  EXPECT_EQ(Get(messages + "?from=0").status, 400U);
}

TEST_F(HttpTest, MetadataIsSetShownAndRemoved) {
  MakeAccount();
  const std::string of = "/v1/accounts/tel%3A%2B15550100111/metadata?folder=INBOX";
  const auto set = Put(of, R"({"entries":[{"entry":"/private/Comment","value":"caf\u00e9"},)"
                           R"({"entry":"/shared/vendor/x/y","value_base64":"AP8="}]})");
  EXPECT_EQ(set.status, 200U) << set.body;
  EXPECT_EQ(Get(of + "&entry=/PRIVATE/comment&entry=%2Fshared%2Fcomment").body,
            "{\"folder\":\"INBOX\",\"entries\":["
            "{\"entry\":\"/PRIVATE/comment\",\"value\":\"caf\xc3\xa9\",\"kept_by_server\":false},"
            "{\"entry\":\"/shared/comment\",\"value\":null,\"kept_by_server\":false}]}\n");
  const auto all = Get(of);
  EXPECT_THAT(all.body,
              HasSubstr(R"({"entry":"/shared/vendor/x/y","value_base64":"AP8=","kept_by_server":false})"));
  EXPECT_THAT(all.body, HasSubstr(R"(cpm/FolderKind","value":"inbox","kept_by_server":true})"));
  EXPECT_EQ(Put(of, R"({"entries":[{"entry":"/private/comment","value":null}]})").status, 200U);
  EXPECT_THAT(Get(of).body, testing::Not(HasSubstr("omment")));
}

TEST_F(HttpTest, MetadataOfTheServerIsTheOperators) {
  MakeAccount();
  const std::string of = "/v1/accounts/+15550100111/metadata";
  EXPECT_EQ(Put(of, R"({"entries":[{"entry":"/shared/comment","value":"Down on Sunday"}]})").status, 200U);
  EXPECT_THAT(Get(of).body, HasSubstr(R"("/shared/comment","value":"Down on Sunday","kept_by_server":true)"));
  EXPECT_THAT(Get(of).body, HasSubstr(R"(/DefaultFolderLocation","value":"Default")"));
  const auto refused = Put(of, R"({"entries":[{"entry":"/shared/admin","value":"mailto:x"}]})");
  EXPECT_EQ(refused.status, 403U);
  EXPECT_EQ(refused.code(), "not_allowed");
}

TEST_F(HttpTest, WrongMetadataIsRefused) {
  MakeAccount();
  const std::string of = "/v1/accounts/+15550100111/metadata";
  for (const auto* body : {"{}", R"({"entries":[]})", R"({"entries":{}})", R"({"entries":["/shared/a"]})",
                           R"({"entries":[{"entry":"/private/a"}]})", R"({"entries":[{"value":"x"}]})",
                           R"({"entries":[{"entry":"/private/a","value":7}]})",
                           R"({"entries":[{"entry":"/private/a","value_base64":"!"}]})",
                           R"({"entries":[{"entry":"/private/a","value":"x","more":1}]})",
                           R"({"entries":[{"entry":"private/a","value":"x"}]})"}) {
    const auto refused = Put(of, body);
    EXPECT_EQ(refused.status, 400U) << body;
    EXPECT_EQ(refused.code(), "invalid_argument") << body;
  }
  EXPECT_EQ(Get(of + "?entry=/shared/*").status, 400U);
  EXPECT_EQ(Get(of + "?folder=none").code(), "no_such_folder");
  EXPECT_EQ(Get("/v1/accounts/+1999/metadata").code(), "no_such_account");
  std::string many = of + "?";
  for (int i = 0; i < 129; ++i) many += "&entry=/shared/a";
  EXPECT_EQ(Get(many).status, 400U);
  const auto long_value =
      Put(of, R"({"entries":[{"entry":"/private/a","value":")" + std::string(65537, 'x') + R"("}]})");
  EXPECT_EQ(long_value.status, 413U);
  EXPECT_EQ(long_value.code(), "annotation_too_big");
  std::string entries;
  for (int i = 0; i < 101; ++i)
    entries +=
        (i ? "," : "") + std::string(R"({"entry":"/private/)") + std::to_string(i) + R"(","value":""})";
  EXPECT_EQ(Put(of, R"({"entries":[)" + entries + "]}").code(), "too_many_annotations");
}

TEST_F(HttpTest, StatisticsCountTheStore) {
  MakeAccount();
  Post("/v1/accounts/+15550100111/messages", Frame("12345", {}) + Frame("67890", {}));
  const auto stats = Get("/v1/store/stats").json();
  EXPECT_EQ(stats.at("accounts").to_number<int>(), 1);
  EXPECT_EQ(stats.at("messages").to_number<int>(), 2);
  EXPECT_EQ(stats.at("octets").to_number<int>(), 10);
}

TEST_F(HttpTest, AConnectionServesSeveralRequests) {
  asio::io_context context;
  asio::local::stream_protocol::socket socket(context);
  socket.connect(asio::local::stream_protocol::endpoint(socket_path()));
  beast::flat_buffer buffer;
  for (int i = 0; i < 3; ++i) {
    beast::http::request<beast::http::empty_body> request(beast::http::verb::get, "/health", 11);
    beast::http::write(socket, request);
    beast::http::response<beast::http::string_body> response;
    beast::http::read(socket, buffer, response);
    EXPECT_EQ(response.result_int(), 200U);
  }
}

TEST(MessageFrameTest, EncodingIsFrozen) {
  http::MessageFrame frame;
  frame.size = 9;
  frame.uid = protocol::Uid{42};
  frame.date = protocol::ParseDateTime(" 7-Feb-1994 22:43:04 -0800");
  frame.flags.Insert("\\Seen");
  frame.flags.Insert("work");
  EXPECT_EQ(
      http::Encode(frame),
      "{\"size\":9,\"uid\":42,\"date\":\" 7-Feb-1994 22:43:04 -0800\",\"flags\":[\"\\\\Seen\",\"work\"]}\n");
}

class BadFrame : public testing::TestWithParam<const char*> {};
TEST_P(BadFrame, IsNone) { EXPECT_FALSE(http::DecodeFrame(GetParam())); }
INSTANTIATE_TEST_SUITE_P(Lines, BadFrame,
                         testing::Values("", "x", "[]", "{}", R"({"size":-1})", R"({"size":1.5})",
                                         R"({"size":1,"uid":0})", R"({"size":1,"date":"yesterday"})",
                                         R"({"size":1,"date":5})", R"({"size":1,"flags":"x"})",
                                         R"({"size":1,"flags":["a b"]})", R"({"size":1,"flags":[""]})",
                                         R"({"size":1,"flags":["\\"]})"));

struct UrlCase {
  const char* pattern;
  const char* path;
  std::optional<std::map<std::string, std::string, std::less<>>> expected;
};
TEST(UrlTest, PathsMatchSegmentBySegment) {
  const std::vector<UrlCase> cases = {
      {"/a", "/a", std::map<std::string, std::string, std::less<>>{}},
      {"/a", "/b", std::nullopt},
      {"/a", "/a/b", std::nullopt},
      {"/a/{x}", "/a", std::nullopt},
      {"/a/{x}", "/a/", std::nullopt},
      {"/a/{x}/c", "/a/b%2Fb/c", std::map<std::string, std::string, std::less<>>{{"x", "b/b"}}},
      {"/a/{x}", "/a/%zz", std::nullopt},
      {"/a/{x}", "/a/%00", std::nullopt},
      {"/a/{x}", "/a/+1", std::map<std::string, std::string, std::less<>>{{"x", "+1"}}},
  };
  for (const auto& c : cases)
    EXPECT_EQ(http::MatchPath(c.pattern, c.path), c.expected) << c.pattern << " " << c.path;
}

TEST(UrlTest, EncodedTextDecodesToItself) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(http::PercentDecode(http::PercentEncode(all)), all);
  EXPECT_EQ(http::QueryValue("a=1&b=%2B2", "b"), "+2");
  EXPECT_EQ(http::QueryValue("a=1&b=2", "c"), std::nullopt);
  EXPECT_THAT(http::QueryValues("a=1&b=2&a=%2F3&a=%zz&a", "a"), testing::ElementsAre("1", "/3", ""));
}

class ConversationTest : public HttpTest {
 protected:
  static constexpr const char* kAccount = "/v1/accounts/%2B15550100111";

  void Store(const std::string& folder, const std::string& octets, const std::string& flags = "[]") {
    const auto made = Put(kAccount + ("/folders?path=" + http::PercentEncode(folder)));
    ASSERT_EQ(made.status, 200U) << made.body;
    const auto frame = R"({"size":)" + std::to_string(octets.size()) + R"(,"flags":)" + flags + "}\n";
    const auto stored = Post(kAccount + ("/messages?folder=" + http::PercentEncode(folder)), frame + octets);
    ASSERT_EQ(stored.status, 200U) << stored.body;
  }
  static std::string Chat(const std::string& id, const std::string& text) {
    return "From: tel:+15550100222\r\nTo: tel:+15550100111\r\nDate: Wed, 02 Mar 2016 10:15:01 +0100\r\n"
           "Content-Type: message/cpim\r\nContribution-ID: c1\r\nIMDN-Message-ID: " +
           id +
           "\r\nMessage-Direction: received\r\n\r\nFrom: <tel:+15550100222>\r\n\r\nContent-Type: "
           "text/plain\r\n\r\n" +
           text;
  }
  Answer Show(const std::string& folder) {
    return Get(kAccount + ("/conversation?folder=" + http::PercentEncode(folder)));
  }
  std::string Objects(const std::string& folder, const std::string& more = {}) {
    return kAccount + ("/objects?folder=" + http::PercentEncode(folder)) + more;
  }
};

TEST_F(ConversationTest, ListIsInPagesOfConversationsOnly) {
  MakeAccount();
  for (const char* peer : {"Default/tel:+15550100222", "Default/tel:+15550100333", "Default/group-1"})
    Store(peer, Chat("a", "x"));
  Store("Default/group-1/session-1", "Subject: Trip\r\n\r\n", R"(["\\Seen"])");
  std::vector<std::string> folders;
  std::string after;
  do {
    const auto page =
        Get(std::string(kAccount) + "/conversations?limit=1&after=" + http::PercentEncode(after));
    ASSERT_EQ(page.status, 200U) << page.body;
    const auto json = page.json();
    ASSERT_EQ(json.at("conversations").as_array().size(), 1U);
    folders.emplace_back(json.at("conversations").as_array()[0].at("folder").as_string());
    after = json.contains("next") ? std::string(json.at("next").as_string()) : "";
  } while (!after.empty());
  EXPECT_EQ(folders, (std::vector<std::string>{"Default/group-1", "Default/tel:+15550100222",
                                               "Default/tel:+15550100333"}));
  const auto all = Get(std::string(kAccount) + "/conversations").json();
  const auto& group = all.at("conversations").as_array()[0].as_object();
  EXPECT_EQ(group.at("kind").as_string(), "group");
  EXPECT_EQ(group.at("subject").as_string(), "Trip");
  EXPECT_EQ(group.at("objects").as_int64(), 2);
  EXPECT_EQ(group.at("unread").as_int64(), 1);
  const auto& peer = all.at("conversations").as_array()[1].as_object();
  EXPECT_EQ(peer.at("kind").as_string(), "one-to-one");
  EXPECT_EQ(peer.at("peer").as_string(), "tel:+15550100222");
  EXPECT_EQ(Get(std::string(kAccount) + "/conversations?limit=0").status, 400U);
}

TEST_F(ConversationTest, ShowHasTheObjectsOfTheConversationAndItsSessions) {
  MakeAccount();
  Store("Default/group-1", Chat("a", "outside"), R"(["\\Seen","$Forwarded"])");
  Store("Default/group-1/session-1", Chat("b", "within"));
  const auto shown = Show("Default/group-1");
  ASSERT_EQ(shown.status, 200U) << shown.body;
  const auto json = shown.json();
  const auto& objects = json.at("objects").as_array();
  ASSERT_EQ(objects.size(), 2U);
  const auto& first = objects[0].as_object();
  EXPECT_EQ(first.at("text").as_string(), "outside");
  EXPECT_EQ(first.at("kind").as_string(), "chat");
  EXPECT_EQ(first.at("from").as_string(), "tel:+15550100222");
  EXPECT_EQ(first.at("direction").as_string(), "received");
  EXPECT_EQ(first.at("imdn_message_id").as_string(), "a");
  EXPECT_EQ(first.at("contribution_id").as_string(), "c1");
  EXPECT_EQ(first.at("date").as_string(), "2016-03-02T10:15:01+01:00");
  EXPECT_EQ(first.at("flags").as_array().size(), 2U);
  EXPECT_EQ(objects[1].at("folder").as_string(), "Default/group-1/session-1");
  EXPECT_EQ(Show("Default/none").code(), "no_such_folder");
}

TEST_F(ConversationTest, ManyObjectsComeInOneAnswer) {
  MakeAccount();
  std::string frames;
  for (int i = 0; i < 600; ++i) {
    const auto octets = Chat(std::to_string(i), std::string(3000, 'x'));
    frames += R"({"size":)" + std::to_string(octets.size()) + R"(,"flags":[]})" + "\n" + octets;
  }
  ASSERT_EQ(Put(std::string(kAccount) + "/folders?path=Default/tel:%2B15550100222").status, 200U);
  ASSERT_EQ(Post(std::string(kAccount) + "/messages?folder=Default/tel:%2B15550100222", frames).status, 200U);
  EXPECT_EQ(Show("Default/tel:+15550100222").json().at("objects").as_array().size(), 600U);
}

TEST_F(ConversationTest, OctetsThatAreNoUtf8StayJson) {
  MakeAccount();
  Store("Default/tel:+15550100222",
        "From: \xff\xfe <tel:+1>\r\nSubject: \x80\r\nContribution-ID: \xc3\r\n"
        "Content-Type: image/png; name=\"\xff\"\r\n\r\n\xff");
  const auto shown = Show("Default/tel:+15550100222");
  EXPECT_EQ(shown.json().at("objects").as_array().size(), 1U);
}

TEST_F(ConversationTest, ObjectsAreListedReadAndDeleted) {
  MakeAccount();
  const auto mail =
      "From: a@example.com\r\nDate: Wed, 02 Mar 2016 10:15:01 +0100\r\nContent-Type: multipart/mixed; "
      "boundary=b\r\n\r\n"
      "--b\r\n\r\nhello\r\n--b\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\nYWJj\r\n--b--\r\n";
  Store("Mail", mail);
  Store("Mail", Chat("x", "y"));
  const auto first = Get(Objects("Mail", "&limit=1")).json();
  ASSERT_EQ(first.at("objects").as_array().size(), 1U);
  EXPECT_EQ(first.at("next").as_int64(), 1);
  const auto& file = first.at("objects").as_array()[0].at("files").as_array()[0].as_object();
  EXPECT_EQ(file.at("name").as_string(), "a.png");
  EXPECT_EQ(file.at("section").as_string(), "2");
  EXPECT_EQ(file.at("size").as_int64(), 3);
  EXPECT_EQ(Get(Objects("Mail", "&after=1")).json().at("objects").as_array().size(), 1U);
  EXPECT_EQ(Get(Objects("Mail", "&uid=1")).body, mail);
  EXPECT_EQ(Get(Objects("Mail", "&uid=1&file=0")).body, "abc");
  EXPECT_EQ(Get(Objects("Mail", "&uid=1&file=1")).code(), "no_such_file");
  EXPECT_EQ(Get(Objects("Mail", "&uid=9")).code(), "no_such_message");
  EXPECT_EQ(Get(Objects("Mail", "&uid=x")).code(), "invalid_argument");
  EXPECT_EQ(Get(Objects("None")).code(), "no_such_folder");
  EXPECT_EQ(Ask(beast::http::verb::delete_, Objects("Mail", "&uid=1")).status, 200U);
  EXPECT_EQ(Ask(beast::http::verb::delete_, Objects("Mail", "&uid=1")).code(), "no_such_message");
  EXPECT_EQ(Ask(beast::http::verb::delete_, Objects("Mail")).code(), "invalid_argument");
  EXPECT_EQ(Get(Objects("Mail")).json().at("objects").as_array().size(), 1U);
}

TEST_F(ConversationTest, FoldersAreMovedAndDeleted) {
  MakeAccount();
  Store("Default/tel:+15550100222", Chat("a", "x"));
  const auto move = [&](const char* body) { return Post(std::string(kAccount) + "/folders:move", body); };
  const auto moved = move(R"({"from":"Default/tel:+15550100222","to":"Kept"})");
  ASSERT_EQ(moved.status, 200U) << moved.body;
  EXPECT_EQ(moved.json().at("path").as_string(), "Kept");
  EXPECT_EQ(move(R"({"from":"Kept","to":"Default/tel:+15550100222"})").status, 403U) << "never back";
  EXPECT_EQ(move(R"({"from":"None","to":"x"})").code(), "no_such_folder");
  EXPECT_EQ(move(R"({"from":"Kept","to":""})").code(), "invalid_argument");
  EXPECT_EQ(move(R"({"from":1})").code(), "invalid_argument");
  const auto erase = [&](const char* path) {
    return Ask(beast::http::verb::delete_, std::string(kAccount) + "/folders?path=" + path);
  };
  EXPECT_EQ(erase("Kept").status, 200U);
  EXPECT_EQ(erase("Kept").code(), "no_such_folder");
  EXPECT_EQ(erase("INBOX").status, 403U);
}

}  // namespace
}  // namespace server_test
