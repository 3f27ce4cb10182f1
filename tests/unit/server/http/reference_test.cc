// The parts of the reference service that need no network. Its behaviour:
// tests/integration/test_references.py.
#include <array>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "server/http/byte_range.h"
#include "server/http/reference_data.h"
#include "server/http/reference_json.h"
#include "server/http/request.h"

namespace server::http {
namespace {

using Range = std::variant<WholeOfIt, ByteRange, Unsatisfiable>;

struct RangeCase {
  const char* name;
  const char* field;
  std::uint64_t size;
  Range range;
};
class RangeTest : public testing::TestWithParam<RangeCase> {};
TEST_P(RangeTest, IsRead) { EXPECT_EQ(ReadRange(GetParam().field, GetParam().size), GetParam().range); }
INSTANTIATE_TEST_SUITE_P(
    Fields, RangeTest,
    testing::Values(
        RangeCase{"First", "bytes=0-0", 10, ByteRange{0, 1}},
        RangeCase{"Middle", "bytes=3-5", 10, ByteRange{3, 3}},
        RangeCase{"Rest", "bytes=3-", 10, ByteRange{3, 7}},
        RangeCase{"Beyond", "bytes=3-99", 10, ByteRange{3, 7}},
        RangeCase{"FarBeyond", "bytes=3-99999999999999999999999", 10, ByteRange{3, 7}},
        RangeCase{"Suffix", "bytes=-3", 10, ByteRange{7, 3}},
        RangeCase{"LongSuffix", "bytes=-30", 10, ByteRange{0, 10}},
        RangeCase{"Spaces", "bytes= 1-2 ", 10, ByteRange{1, 2}},
        RangeCase{"After", "bytes=10-", 10, Unsatisfiable{}},
        RangeCase{"FarAfter", "bytes=99999999999999999999999-", 10, Unsatisfiable{}},
        RangeCase{"NoSuffix", "bytes=-0", 10, Unsatisfiable{}},
        RangeCase{"OfNothing", "bytes=0-", 0, Unsatisfiable{}},
        RangeCase{"SuffixOfNothing", "bytes=-1", 0, Unsatisfiable{}},
        RangeCase{"Backwards", "bytes=5-3", 10, WholeOfIt{}},
        RangeCase{"Several", "bytes=1-2,4-5", 10, WholeOfIt{}},
        RangeCase{"OtherUnit", "lines=1-2", 10, WholeOfIt{}}, RangeCase{"Nothing", "bytes=", 10, WholeOfIt{}},
        RangeCase{"Dash", "bytes=-", 10, WholeOfIt{}}, RangeCase{"Letters", "bytes=a-b", 10, WholeOfIt{}},
        RangeCase{"Sign", "bytes=+1-2", 10, WholeOfIt{}}, RangeCase{"Empty", "", 10, WholeOfIt{}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(EtagTest, ListsAndStars) {
  EXPECT_TRUE(NamesEtag("\"a\"", "\"a\"", Comparison::kWeak));
  EXPECT_TRUE(NamesEtag("\"x\", W/\"a\"", "\"a\"", Comparison::kWeak));
  EXPECT_TRUE(NamesEtag("*", "\"a\"", Comparison::kWeak));
  EXPECT_FALSE(NamesEtag("\"ab\"", "\"a\"", Comparison::kWeak));
  EXPECT_FALSE(NamesEtag("a", "\"a\"", Comparison::kWeak));
  EXPECT_FALSE(NamesEtag("", "\"a\"", Comparison::kWeak));
  EXPECT_TRUE(NamesEtag("W/\"a\", \"a\"", "\"a\"", Comparison::kStrong));
  EXPECT_TRUE(NamesEtag("*", "\"a\"", Comparison::kStrong));
  EXPECT_FALSE(NamesEtag("W/\"a\"", "\"a\"", Comparison::kStrong));
}

TEST(ContentDispositionTest, IsANameAndNoPath) {
  EXPECT_EQ(ContentDisposition(""), "attachment");
  EXPECT_EQ(ContentDisposition("a b.jpg"), "attachment; filename=\"a b.jpg\"");
  EXPECT_EQ(ContentDisposition("../../etc/passwd"), "attachment; filename=\".._.._etc_passwd\"");
  EXPECT_EQ(ContentDisposition("..\\x"), "attachment; filename=\".._x\"");
  EXPECT_EQ(ContentDisposition(".."), "attachment; filename=\"file\"");
  EXPECT_EQ(ContentDisposition("a\r\nX: y"), "attachment; filename=\"a__X: y\"");
  EXPECT_EQ(ContentDisposition("a\"b"), "attachment; filename=\"a_b\"; filename*=UTF-8''a%22b");
  EXPECT_EQ(ContentDisposition("\xe2\x82\xac"), "attachment; filename=\"___\"; filename*=UTF-8''%E2%82%AC");
  // What turns the direction of reading around would show another extension than the name has.
  for (const char* turns : {"\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae",
                            "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9"})
    EXPECT_EQ(ContentDisposition("a" + std::string(turns) + "gpj.exe"), "attachment; filename=\"a_gpj.exe\"");
  EXPECT_EQ(ContentDisposition("\xe2\x80\xa9"), "attachment; filename=\"___\"; filename*=UTF-8''%E2%80%A9");
  // Cut between two characters.
  const std::string long_name = std::string(199, 'x') + "\xe2\x82\xac\xe2\x82\xac";
  EXPECT_EQ(ContentDisposition(long_name), "attachment; filename=\"" + std::string(199, 'x') + "\"");
}

TEST(QueryTest, HasKnownNamesOnceAndRightlyEncoded) {
  EXPECT_EQ(FaultOfQuery("", ""), "");
  EXPECT_EQ(FaultOfQuery("a=1&b=%25", "b a"), "");
  EXPECT_EQ(FaultOfQuery("x=1&x=2", kAnyNames), "");
  for (const char* wrong : {"x=%", "x=%4", "x=%zz", "x=%00", "a=1&x=%-1"})
    EXPECT_EQ(FaultOfQuery(wrong, kAnyNames).substr(0, 15), "The query's \"x\"") << wrong;
  EXPECT_NE(FaultOfQuery("a=1&c=1", "a b"), "");
  EXPECT_NE(FaultOfQuery("a b=1", "a b"), "");
  EXPECT_NE(FaultOfQuery("=1", "a b"), "");
  EXPECT_NE(FaultOfQuery("a=1&a=1", "a b"), "");
  EXPECT_NE(FaultOfQuery("a", ""), "");
}

Refusal RefusalOf(const char* json) {
  auto read = ReadReferences(boost::json::parse(json).as_object());
  return std::holds_alternative<Refusal>(read) ? std::get<Refusal>(read) : Refusal{};
}

TEST(ReadReferencesTest, DefaultsAreForAll) {
  const auto read = ReadReferences(
      boost::json::parse(R"({"account":"+1","audience":"anyone","expires":5,"one_time":true,"url":"https",
    "references":[{"folder":"inbox","uid":7,"part":"2.1","offset":3},
                  {"object_id":"M17","audience":"tel:+2","expires":"1970-01-01T00:00:09Z","one_time":false,"hash":true}]})")
          .as_object());
  const auto& asked = std::get<ReferencesRequest>(read);
  EXPECT_EQ(asked.account, "+1");
  ASSERT_EQ(asked.references.size(), 2U);
  const auto& first = asked.references[0];
  EXPECT_EQ(first.object.folder, "INBOX");
  EXPECT_EQ(first.object.uid->value, 7U);
  EXPECT_EQ(first.part, "2.1");
  EXPECT_EQ(*first.partial, (protocol::UrlPartial{3, std::nullopt}));
  EXPECT_EQ(first.terms.kind, storage::ReferenceAudience::kAnyone);
  EXPECT_TRUE(first.terms.one_time && first.terms.web);
  EXPECT_EQ(first.terms.expires, 5);
  const auto& second = asked.references[1];
  EXPECT_EQ(second.object.object->value, 17U);
  EXPECT_EQ(second.terms.audience, "tel:+2");
  EXPECT_EQ(second.terms.expires, 9);
  EXPECT_TRUE(!second.terms.one_time && second.terms.hash);
}

TEST(ReadReferencesTest, WhatIsWrongIsNamed) {
  EXPECT_EQ(RefusalOf("{}").message, "references must be a list of what is to be referred to");
  EXPECT_EQ(RefusalOf(R"({"references":[{"object_id":"M1"},{}]})").message.substr(0, 17),
            "references[1].uid");
  EXPECT_EQ(RefusalOf(R"({"references":[{"object_id":"M1","uid":1}]})").message.substr(0, 17),
            "references[0].uid");
  EXPECT_EQ(RefusalOf(R"({"references":[{"uid":1}]})").message, "references[0].folder is missing");
  EXPECT_EQ(RefusalOf(R"({"references":[{"object_id":"M1","expires":"soon"}]})").message.substr(0, 21),
            "references[0].expires");
  EXPECT_EQ(RefusalOf(R"({"references":[{"object_id":"M1","offset":5,"length":0}]})").message.substr(0, 20),
            "references[0].length");
  EXPECT_EQ(
      RefusalOf(R"({"references":[{"object_id":"M1","attachments":true,"part":"2"}]})").message.substr(0, 25),
      "references[0].attachments");
}

/// "/v1/references/{token}": {"get", "head"} of openapi.yaml, by its indentation.
std::map<std::string, std::set<std::string>> Described() {
  std::ifstream in(CMSD_SOURCE_ROOT "/server/http/openapi.yaml");
  std::map<std::string, std::set<std::string>> out;
  std::string path;
  const std::regex path_line("^  (/[^ ]*):$");
  const std::regex verb_line("^    (get|head|put|post|delete|patch|options|trace):$");
  for (std::string line; std::getline(in, line) && line != "components:";) {
    std::smatch found;
    if (std::regex_match(line, found, path_line)) path = found[1];
    if (std::regex_match(line, found, verb_line)) out[path].insert(found[1]);
  }
  return out;
}

TEST(OpenApiTest, DescribesTheRoutesThatThereAre) {
  std::map<std::string, std::set<std::string>> routes;
  for (const auto& route : kRoutes) {
    if (route.whom != For::kVisitor) continue;
    std::string verb(beast::http::to_string(route.verb));
    for (char& c : verb) c = static_cast<char>(std::tolower(c));
    routes[std::string(route.pattern)].insert(verb);
  }
  EXPECT_EQ(Described(), routes);
}

std::string Ambiguity(const std::vector<std::pair<beast::http::field, const char*>>& fields,
                      const char* target = "/") {
  Call::Parser::value_type request(beast::http::verb::post, target, 11);
  for (const auto& [name, value] : fields) request.insert(name, value);
  return std::string(AmbiguityOf(request));
}

/// Gives one octet at a time and writes down how long it may take.
class SlowWire final : public HttpWire {
 public:
  asio::awaitable<std::size_t> ReadSome(std::span<char> space, std::chrono::milliseconds limit) override {
    limits.push_back(limit);
    space.front() = octets[limits.size() - 1];
    co_return 1;
  }
  asio::awaitable<bool> Write(std::span<std::string_view>, bool) override { co_return true; }

  std::string octets =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n" + std::string(10000, 'x');
  std::vector<std::chrono::milliseconds> limits;
};

TEST(PaceTest, ABodyHasAPaceAndWhatIsDrainedATime) {
  SlowWire wire;
  const auto serve = [&]() -> asio::awaitable<void> {
    beast::flat_buffer buffer;
    Call::Parser parser;
    const auto error = co_await ReadHead(wire, buffer, parser, {}, std::chrono::seconds(300));
    EXPECT_FALSE(error);
    wire.octets.erase(0, wire.limits.size());
    wire.limits.clear();
    Call call(wire, buffer, parser, std::chrono::seconds(60));
    std::array<char, 5000> space;
    for (std::size_t got = 0; got < space.size();)
      got += (co_await call.ReadSome(std::span(space).subspan(got))).value_or(space.size());
    co_await call.Drain();
  };
  asio::io_context context;
  asio::co_spawn(context, serve(), asio::detached);
  context.run();
  // What was waited for an octet is missing for the next one, until 4096 are there; of the rest for all.
  constexpr std::chrono::milliseconds kAll = std::chrono::minutes(1);
  ASSERT_EQ(wire.limits.size(), 10000U);
  EXPECT_EQ(wire.limits[0], kAll);
  EXPECT_LT(wire.limits[1], kAll);
  EXPECT_LT(wire.limits[4095], kAll);
  EXPECT_EQ(wire.limits[4096], kAll);
  EXPECT_LT(wire.limits[8192], kAll) << "a new step, but no new time";
}

TEST(AmbiguityTest, OneReadingIsNeeded) {
  using Field = beast::http::field;
  EXPECT_EQ(Ambiguity({{Field::host, "x"}, {Field::content_length, "4"}}), "");
  EXPECT_EQ(Ambiguity({{Field::host, "x"}, {Field::transfer_encoding, "Chunked"}}), "");
  EXPECT_NE(Ambiguity({}), "");
  EXPECT_NE(Ambiguity({{Field::host, "x"}, {Field::host, "x"}}), "");
  EXPECT_NE(
      Ambiguity({{Field::host, "x"}, {Field::content_length, "4"}, {Field::transfer_encoding, "chunked"}}),
      "");
  EXPECT_NE(Ambiguity({{Field::host, "x"}, {Field::content_length, "4"}, {Field::content_length, "4"}}), "");
  EXPECT_NE(Ambiguity({{Field::host, "x"}, {Field::content_length, "4, 4"}}), "");
  EXPECT_NE(Ambiguity({{Field::host, "x"}, {Field::transfer_encoding, "gzip, chunked"}}), "");
  EXPECT_NE(Ambiguity({{Field::host, "x"}}, "http://x/"), "");
  EXPECT_NE(Ambiguity({{Field::host, "x"}}, "/\x80"), "");
}

}  // namespace
}  // namespace server::http
