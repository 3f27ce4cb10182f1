// What SORT and THREAD make of header fields: base subjects, the collation, Message IDs, stored envelopes.
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "protocol/mime/base_subject.h"
#include "protocol/mime/envelope.h"
#include "protocol/mime/envelope_reader.h"
#include "protocol/mime/message_id.h"
#include "protocol/mime/words.h"
#include "protocol/text/casemap.h"

namespace protocol::mime {
namespace {

struct SubjectCase {
  const char* name;
  std::string subject;
  std::string base;
  bool replied = false;
};
class Subjects : public testing::TestWithParam<SubjectCase> {};
TEST_P(Subjects, HaveABase) {
  EXPECT_EQ(BaseSubjectOf(GetParam().subject), (BaseSubject{GetParam().base, GetParam().replied}));
}
// RFC 5256 §2.1, its steps in brackets.
INSTANTIATE_TEST_SUITE_P(
    Rfc5256, Subjects,
    testing::Values(SubjectCase{"plain", "Lunch at noon", "Lunch at noon"}, SubjectCase{"empty", "", ""},
                    SubjectCase{"words_are_decoded_1", "=?iso-8859-1?q?Gr=FC=DFe?=",
                                "Gr\xc3\xbc\xc3\x9f"
                                "e"},
                    SubjectCase{"an_encoded_re_1", "=?us-ascii?q?Re:_x?=", "x", true},
                    SubjectCase{"white_space_is_one_space_1", " a \t  b\t", "a b"},
                    SubjectCase{"fwd_trailers_2", "a (fwd) (FWD)  ", "a", true},
                    SubjectCase{"only_a_trailer_2", "(fwd)", "", true},
                    SubjectCase{"re_3", "Re: a", "a", true}, SubjectCase{"fw_3", "FW:a", "a", true},
                    SubjectCase{"fwd_3", "fwd : a", "a", true},
                    SubjectCase{"several_3", "Re: re:FWD: a", "a", true},
                    SubjectCase{"re_with_a_blob_3", "Re[2]: a", "a", true},
                    SubjectCase{"blobs_before_re_3", "[x] [y]Re: a", "a", true},
                    SubjectCase{"no_colon_3", "Re a", "Re a"}, SubjectCase{"only_re_3", "Re:", "", true},
                    SubjectCase{"other_languages_3", "AW: a", "AW: a"},
                    SubjectCase{"blob_4", "[list] a", "a"}, SubjectCase{"blobs_4", "[list][b] a", "a"},
                    SubjectCase{"a_blob_alone_4", "[list]", "[list]"},
                    SubjectCase{"the_last_blob_stays_4", "[list] [b]", "[b]"},
                    SubjectCase{"no_blob_within_a_blob_4", "[a[b]] c", "[a[b]] c"},
                    SubjectCase{"unclosed_blob_4", "[a c", "[a c"},
                    SubjectCase{"blob_then_re_again_5", "Re: [list] Re: a", "a", true},
                    SubjectCase{"re_between_blobs_5", "[a] Re: [b] c", "c", true},
                    SubjectCase{"frame_6", "[fwd: a]", "a", true},
                    SubjectCase{"frame_within_6", "[Fwd: [fwd: Re: a (fwd)]]", "a", true},
                    SubjectCase{"frame_not_closed_6", "[fwd: a", "[fwd: a"},
                    SubjectCase{"frame_as_a_blob_4", "[fwd: a] b", "b"},
                    SubjectCase{"empty_frame_6", "[fwd:]", "", true}),
    [](const auto& at) { return std::string(at.param.name); });

/// A literal reading of the RFC: one rule after the other, from the beginning each time.
BaseSubject Naive(std::string text) {
  const auto lower_is = [&](std::size_t at, std::string_view word) {
    if (text.size() < at + word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i)
      if (std::tolower(static_cast<unsigned char>(text[at + i])) != word[i]) return false;
    return true;
  };
  bool replied = false;
  const auto spaces = [&](std::size_t at) {
    while (at < text.size() && text[at] == ' ') ++at;
    return at;
  };
  const auto blob = [&](std::size_t at) {
    if (at >= text.size() || text[at] != '[') return at;
    std::size_t end = at + 1;
    while (end < text.size() && text[end] != '[' && text[end] != ']') ++end;
    return end < text.size() && text[end] == ']' ? spaces(end + 1) : at;
  };
  const auto leader = [&]() -> std::size_t {
    if (text.starts_with(' ')) return 1;
    std::size_t at = 0;
    for (std::size_t next = blob(at); next != at; next = blob(at)) at = next;
    if (lower_is(at, "re")) {
      at += 2;
    } else if (lower_is(at, "fwd")) {
      at += 3;
    } else if (lower_is(at, "fw")) {
      at += 2;
    } else {
      return 0;
    }
    at = blob(spaces(at));
    if (at >= text.size() || text[at] != ':') return 0;
    replied = true;
    return at + 1;
  };
  while (true) {
    while (true) {  // (2)
      if (text.ends_with(' ')) {
        text.pop_back();
      } else if (text.size() >= 5 && lower_is(text.size() - 5, "(fwd)")) {
        text.resize(text.size() - 5);
        replied = true;
      } else {
        break;
      }
    }
    for (bool more = true; more;) {  // (5)
      more = false;
      while (const std::size_t end = leader()) {  // (3)
        text.erase(0, end);
        more = true;
      }
      if (const std::size_t end = blob(0); end > 0 && end < text.size()) {  // (4)
        text.erase(0, end);
        more = true;
      }
    }
    if (!lower_is(0, "[fwd:") || !text.ends_with(']')) return {text, replied};
    text = text.substr(5, text.size() - 6);  // (6)
    replied = true;
  }
}

RC_GTEST_PROP(BaseSubjects, AreThoseOfALiteralReading, ()) {
  const auto words = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "re", "Fwd", "fw", ":", "[", "]", "[x]", "(fwd)", " ", "a", "[fwd:", "b"));
  std::string subject;
  for (const auto& word : words) subject += word == " " && subject.ends_with(' ') ? "" : word;
  RC_ASSERT(BaseSubjectOf(subject) == Naive(subject));
}

TEST(BaseSubjects, CostTheirLengthOnly) {
  // Quadratic, each of these would take minutes: no time is measured.
  std::string blobs;
  std::string frames;
  for (int i = 0; i < 300'000; ++i) {
    blobs += "[]";
    frames += "[fwd:";
  }
  EXPECT_EQ(BaseSubjectOf(blobs).text, "[]");
  EXPECT_EQ(BaseSubjectOf(frames + std::string(300'000, ']')).text, "");
}

struct CasemapCase {
  const char* name;
  std::string text;
  std::string mapped;
};
class Casemap : public testing::TestWithParam<CasemapCase> {};
TEST_P(Casemap, Is) { EXPECT_EQ(text::UnicodeCasemap(GetParam().text), GetParam().mapped); }
INSTANTIATE_TEST_SUITE_P(Rfc5051, Casemap,
                         testing::Values(CasemapCase{"ascii", "Hello, [World]~", "HELLO, [WORLD]~"},
                                         CasemapCase{"the_example", "\xc7\x84", "Dz\xcc\x8c"},
                                         CasemapCase{"accents_are_apart", "\xc3\xa9t\xc3\x89",
                                                     "E\xcc\x81TE\xcc\x81"},
                                         CasemapCase{"decomposed_is_the_same", "e\xcc\x81", "E\xcc\x81"},
                                         CasemapCase{"sharp_s_has_no_capital", "\xc3\x9f", "\xc3\x9f"},
                                         CasemapCase{"compatibility", "\xef\xbc\xa1\xe2\x91\xa0", "A1"},
                                         CasemapCase{"cyrillic", "\xd0\xbf", "\xd0\x9f"},
                                         CasemapCase{"not_utf8_is_left", "a\xff", "a\xff"}),
                         [](const auto& at) { return std::string(at.param.name); });

TEST(MessageIds, AreNormal) {
  const auto all = [](std::string_view value) { return NormalMessageIds(value, 10, 20); };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(all("<a@x> <b@x>"), (Ids{"a@x", "b@x"}));
  // RFC 5256 §3: these MUST be the same.
  EXPECT_EQ(all("<\"a.B\"@x>"), Ids{"a.B@x"});
  EXPECT_EQ(all("<\"a\\\"b\"@x>"), Ids{"a\"b@x"});
  EXPECT_EQ(all("<\"a>b\"@x>"), Ids{"a>b@x"});
  EXPECT_EQ(all("< a @ x >"), Ids{"a@x"});
  EXPECT_EQ(all("Your message of <Monday> <a@x> (Bea) bea@y"), Ids{"a@x"});
  EXPECT_EQ(all("<<a@x> <@x> <a@> <> <b@x"), Ids{"a@x"});
  EXPECT_EQ(all("<\"a@x> <b@x>"), (Ids{"a@x", "b@x"})) << "nothing closes the quote";
  EXPECT_EQ(all("<aaaaaaaaaaaaaaaaaaa@x> <b@x>"), Ids{"b@x"}) << "too long";
  EXPECT_EQ(NormalMessageIds("<a@x><b@x><c@x>", 2, 20), (Ids{"b@x", "c@x"})) << "the last ones";
  EXPECT_EQ(FirstMessageId("x <y> <a@x><b@x>", 20), "a@x");
  EXPECT_EQ(FirstMessageId("none", 20), "");
}

TEST(MessageIds, CostTheirLengthOnly) {
  std::string quotes;
  for (int i = 0; i < 300'000; ++i) quotes += "<\"\\";
  EXPECT_TRUE(NormalMessageIds(quotes, 10, 20).empty());
}

using Field = EnvelopeReader::Field;
using Address = EnvelopeReader::Address;

TEST(EnvelopeReader, ReadsWhatEnvelopeWrites) {
  const std::string envelope = Envelope(
      "Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
      "Subject: a \"b\" \\c (d)\r\n"
      "From: \"B, \\\"ea\" <bea@x.example>, second@x.example\r\n"
      "To: tel:+15550100222\r\n"
      "In-Reply-To: <a@x> \xc3\xa9\r\n"
      "Message-ID: <b@x>\r\n\r\n",
      65536);
  const EnvelopeReader reader(envelope);
  EXPECT_EQ(reader.Text(Field::kDate), "Mon, 1 Jan 2024 00:00:00 +0000");
  EXPECT_EQ(reader.Text(Field::kSubject), "a \"b\" \\c (d)");
  EXPECT_EQ(reader.First(Field::kFrom), (Address{"B, \"ea", "bea", "x.example"}));
  EXPECT_EQ(reader.First(Field::kSender), (Address{"B, \"ea", "bea", "x.example"}));
  EXPECT_EQ(reader.First(Field::kTo), (Address{std::nullopt, "tel:+15550100222", ""}));
  EXPECT_EQ(reader.First(Field::kCc), std::nullopt);
  EXPECT_EQ(reader.Text(Field::kInReplyTo), "<a@x> \xc3\xa9") << "a literal";
  EXPECT_EQ(reader.Text(Field::kMessageId), "<b@x>");
}

RC_GTEST_PROP(EnvelopeReaders, ReadAnySubject, (std::string subject, std::string id)) {
  std::erase_if(subject, [](char c) { return c == '\0' || c == '\r' || c == '\n'; });
  std::erase_if(id, [](char c) { return c == '\0' || c == '\r' || c == '\n'; });
  const auto trimmed = [](std::string text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.erase(0, 1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.pop_back();
    return text;
  };
  const std::string envelope = Envelope("Subject: " + subject + "\r\nMessage-ID: " + id + "\r\n\r\n", 65536);
  const EnvelopeReader reader(envelope);
  RC_ASSERT(reader.Text(Field::kSubject).value_or("") == trimmed(subject));
  RC_ASSERT(reader.Text(Field::kMessageId).value_or("") == trimmed(id));
}

RC_GTEST_PROP(EnvelopeReaders, TakeAnything, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "(", ")", "\"", "\\", " ", "NIL", "{3}\r\n", "{99999999999999999999}\r\n", "{9}\r\n", "abc", "{"));
  std::string envelope;
  for (const auto& piece : pieces) envelope += piece;
  const EnvelopeReader reader(envelope);
  for (int i = 0; i < 10; ++i) {
    const auto text = reader.Text(static_cast<Field>(i));
    if (text) RC_ASSERT(text->size() <= envelope.size());
    const auto address = reader.First(static_cast<Field>(i));
    if (address && address->name) RC_ASSERT(address->name->size() <= envelope.size());
  }
}

TEST(HeaderDay, IsWhatIsLeftOfABadDate) {
  constexpr std::int64_t kNewYear = 946684800;  // 1-Jan-2000
  for (const auto* date : {"Sat, 1 Jan 2000 31:99:99 +0000", "1 Jan 2000", "Saturday, 01 jan 2000 noon",
                           "Sat,1 Jan 2000 25:00"}) {
    EXPECT_EQ(ParseHeaderDay(date), (InternalDate{kNewYear, 0})) << date;
  }
  for (const auto* date : {"", "yesterday", "31 Feb 2000 10:00", "Jan 1 2000", ",,,", "1 Jan"}) {
    EXPECT_EQ(ParseHeaderDay(date), std::nullopt) << date;
  }
}

}  // namespace
}  // namespace protocol::mime
