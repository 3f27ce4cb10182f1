#include "server/http/multipart.h"

#include <gmock/gmock.h>

namespace server_test {
namespace {

using server::http::BoundaryOf;
using server::http::MultipartReader;
using testing::ElementsAre;
using testing::StartsWith;
using Step = MultipartReader::Step;

/// What comes out, as text: "[name type]", octets, "[end]"; "[fault: ...]" or "[more]" where it stops short.
std::string Read(std::string_view body, std::size_t piece) {
  MultipartReader reader("b");
  std::string out;
  for (;;) {
    switch (reader.Next()) {
      case Step::kPart: out += "[" + reader.head().name + " " + reader.head().content_type + "]"; break;
      case Step::kOctets: out += reader.octets(); break;
      case Step::kPartEnd: out += "|"; break;
      case Step::kEnd: return out + "[end]";
      case Step::kBad: return out + "[fault: " + std::string(reader.fault()) + "]";
      case Step::kNeedMore:
        if (body.empty()) return out + "[more]";
        reader.Feed(body.substr(0, piece));
        body.remove_prefix(std::min(piece, body.size()));
        break;
    }
  }
}

TEST(Multipart, PartsComeApartHoweverTheyArrive) {
  constexpr std::string_view kBody =
      "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"event\"\r\nContent-Type: "
      "application/json\r\n\r\n"
      "{}\r\n--b  \r\ncontent-disposition: form-data; filename=\"a;b\\\"\"; "
      "name=file\r\n\r\nx\r\n--\r\n-b\r\n--c\r\n"
      "\r\n--b\r\n\r\nbare\r\n--b\r\nA: b\r\n\r\n\r\n--b--\r\nepilogue";
  for (std::size_t piece = 1; piece < kBody.size(); ++piece) {
    EXPECT_EQ(Read(kBody, piece),
              "[event application/json]{}|[file ]x\r\n--\r\n-b\r\n--c\r\n|[ ]bare|[ ]|[end]")
        << piece;
  }
}

TEST(Multipart, WhatIsNone) {
  for (const std::size_t piece : {1U, 7U, 100'000U}) {
    EXPECT_EQ(Read("", piece), "[more]");
    EXPECT_EQ(Read("no boundary", piece), "[more]");
    EXPECT_EQ(Read("--b\r\nA: b\r\n\r\nhalf\r\n--", piece), "[ ]half[more]");
    EXPECT_THAT(Read("--bx\r\n\r\n--b--", piece), StartsWith("[fault: a boundary"));
    EXPECT_THAT(Read(std::string(20'000, 'x'), piece), StartsWith("[fault: its first boundary"));
    EXPECT_THAT(Read("--b\r\n" + std::string(20'000, 'x'), piece), StartsWith("[fault: the header"));
    EXPECT_THAT(Read("--b" + std::string(20'000, ' '), piece), StartsWith("[fault: a boundary"));
  }
}

TEST(Multipart, Boundaries) {
  EXPECT_EQ(BoundaryOf("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(BoundaryOf("Multipart/Related; type=\"a;b\" ; BOUNDARY=\"a b\"; start=x"), "a b");
  EXPECT_EQ(BoundaryOf("application/json; boundary=abc"), std::nullopt);
  EXPECT_EQ(BoundaryOf("multipart/form-data"), std::nullopt);
  EXPECT_EQ(BoundaryOf("multipart/form-data; boundary="), std::nullopt);
  EXPECT_EQ(BoundaryOf("multipart/form-data; boundary=" + std::string(71, 'x')), std::nullopt);
  EXPECT_EQ(BoundaryOf(""), std::nullopt);
}

}  // namespace
}  // namespace server_test
