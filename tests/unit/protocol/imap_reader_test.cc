#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/imap/command_reader.h"
#include "protocol/imap/limits.h"
#include "protocol/imap/parse/parser.h"
#include "tests/unit/protocol/imap_fixtures.h"

namespace protocol {
namespace {

using testing::AcceptedCommands;
using testing::RejectedCommands;

void Feed(CommandReader& reader, std::string_view octets) { reader.Feed({octets.data(), octets.size()}); }

template <class T>
std::optional<T> Take(Step step) {
  if (auto* value = std::get_if<T>(&step)) return std::move(*value);
  ADD_FAILURE() << "the step is alternative " << step.index();
  return std::nullopt;
}

CommandReader Authenticated() {
  CommandReader reader;
  reader.SetAuthenticated();
  return reader;
}

/// What a client sees and the session gets, as one line a step; the client sends everything whatever the
/// answers.
std::string Transcript(const std::vector<std::string_view>& chunks) {
  CommandReader reader = Authenticated();
  std::string out, octets;
  const auto flush = [&] {
    if (!octets.empty()) out += "octets " + std::exchange(octets, {}) + "\n";
  };
  for (const auto chunk : chunks) {
    Feed(reader, chunk);
    for (;;) {
      Step step = reader.Next();
      if (std::holds_alternative<NeedBytes>(step)) break;
      if (const auto* append = std::get_if<AppendOctets>(&step)) {
        octets.append(append->octets.data(), append->octets.size());
        continue;
      }
      flush();
      if (std::holds_alternative<NeedContinuation>(step)) out += "+\n";
      if (const auto* bad = std::get_if<BadCommand>(&step)) WriteTagged(out, bad->tag, bad->reply);
      if (const auto* command = std::get_if<TaggedCommand>(&step)) {
        out += command->tag + " command " + std::to_string(command->command.index()) + "\n";
      }
      if (const auto* begin = std::get_if<command::AppendBegin>(&step))
        out += "append " + begin->mailbox + "\n";
      if (const auto* message = std::get_if<command::AppendMessage>(&step)) {
        out += "message " + std::to_string(message->index) +
               (message->catenate ? " in parts" : " " + std::to_string(message->size)) + "\n";
        if (!message->catenate) reader.Accept();
      }
      if (const auto* url = std::get_if<command::CatenateUrl>(&step)) out += "url " + url->url + "\n";
      if (const auto* text = std::get_if<command::CatenateText>(&step)) {
        out += "text " + std::to_string(text->size) + "\n";
        reader.Accept();
      }
      if (std::holds_alternative<AppendEnd>(step)) out += "end\n";
    }
  }
  flush();
  return out;
}

constexpr std::string_view kAppends =
    "a APPEND {1}\r\nx (\\Seen) {5}\r\nab\r\nc \" 1-Jan-2020 00:00:00 +0000\" {3+}\r\ndef\r\n"
    "b APPEND y ~{2+}\r\ng\n\r\n"
    "c APPEND y {2+}\r\nhi x\r\n"
    "d APPEND y {2+}\r\nhi {3+}\r\nabc{0+}\r\n\r\n"
    "f APPEND z CATENATE (URL a TEXT {2}\r\nij URL {3}\r\n/b] TEXT {1+}\r\nk) CATENATE (URL \"c\")\r\n"
    "g APPEND z CATENATE (URL a TEXT {2+}\r\nij x)\r\n"
    "e NOOP\r\n";

constexpr std::string_view kAppendSteps =
    "+\nappend x\nmessage 0 5\noctets ab\r\nc\nmessage 1 3\noctets def\nend\n"
    "append y\nmessage 0 2\noctets g\n\nend\n"
    "append y\nmessage 0 2\noctets hi\nc BAD expected literal at column 2\r\n"
    "append y\nmessage 0 2\noctets hi\nmessage 1 3\noctets abc\nd BAD expected CRLF at column 1\r\n"
    "append z\nmessage 0 in parts\nurl a\ntext 2\noctets ij\n+\nurl /b]\ntext 1\noctets k\n"
    "message 1 in parts\nurl c\nend\n"
    "append z\nmessage 0 in parts\nurl a\ntext 2\noctets ij\ng BAD expected URL at column 2\r\n"
    "e command 1\n";

TEST(CommandReaderTest, AppendStreamsTheSameAtEverySplitPoint) {
  ASSERT_EQ(Transcript({kAppends}), kAppendSteps);
  for (std::size_t i = 0; i <= kAppends.size(); ++i) {
    EXPECT_EQ(Transcript({kAppends.substr(0, i), kAppends.substr(i)}), kAppendSteps) << "split at " << i;
  }
}

TEST(CommandReaderTest, AppendStreamsTheSameOctetByOctet) {
  std::vector<std::string_view> octets;
  for (std::size_t i = 0; i < kAppends.size(); ++i) octets.push_back(kAppends.substr(i, 1));
  EXPECT_EQ(Transcript(octets), kAppendSteps);
}

TEST(CommandReaderTest, GivesEveryCommandAtEverySplitPoint) {
  for (const auto& fixture : AcceptedCommands()) {
    for (std::size_t i = 0; i <= fixture.wire.size(); ++i) {
      CommandReader reader = Authenticated();
      std::optional<TaggedCommand> got;
      for (const auto part :
           {std::string_view(fixture.wire).substr(0, i), std::string_view(fixture.wire).substr(i)}) {
        Feed(reader, part);
        for (Step step = reader.Next(); !std::holds_alternative<NeedBytes>(step); step = reader.Next()) {
          if (auto* command = std::get_if<TaggedCommand>(&step)) got = std::move(*command);
          ASSERT_FALSE(std::holds_alternative<BadCommand>(step)) << fixture.name << " split at " << i;
        }
      }
      ASSERT_TRUE(got) << fixture.name << " split at " << i;
      ASSERT_TRUE(got->command == fixture.command) << fixture.name << " split at " << i;
      ASSERT_EQ(reader.HeapBytes(), 0U);
    }
  }
}

TEST(CommandReaderTest, RefusesAtEverySplitPointAndGoesOn) {
  for (const auto& fixture : RejectedCommands()) {
    const std::string wire = fixture.wire + "z NOOP\r\n";
    for (std::size_t i = 0; i <= wire.size(); ++i) {
      CommandReader reader = Authenticated();
      std::vector<std::string> bad;
      std::optional<TaggedCommand> next;
      for (const auto part : {std::string_view(wire).substr(0, i), std::string_view(wire).substr(i)}) {
        Feed(reader, part);
        for (Step step = reader.Next(); !std::holds_alternative<NeedBytes>(step); step = reader.Next()) {
          if (auto* refusal = std::get_if<BadCommand>(&step)) bad.push_back(refusal->reply.text);
          if (auto* command = std::get_if<TaggedCommand>(&step)) next = std::move(*command);
        }
      }
      const std::string text = Describe({.offset = fixture.offset, .expected = fixture.expected});
      ASSERT_THAT(bad, ::testing::ElementsAre(text)) << fixture.name << " split at " << i;
      ASSERT_TRUE(next) << fixture.name << " split at " << i;
      ASSERT_EQ(next->tag, "z");
    }
  }
}

TEST(CommandReaderTest, PipelinedCommandsComeOutOneByOne) {
  CommandReader reader = Authenticated();
  Feed(reader, "a NOOP\r\nb CHECK\r\nc LOG");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "a");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "b");
  EXPECT_TRUE(Take<NeedBytes>(reader.Next()));
  Feed(reader, "OUT\r\n");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "c");
}

TEST(CommandReaderTest, ALiteralIsAskedForOnlyIfTheCommandIsRightSoFar) {
  CommandReader reader;
  Feed(reader, "a LOGIN {3}\r\n");
  EXPECT_TRUE(Take<NeedContinuation>(reader.Next()));
  EXPECT_TRUE(Take<NeedBytes>(reader.Next()));
  Feed(reader, "joe x\r\n");
  EXPECT_TRUE(Take<TaggedCommand>(reader.Next()));

  Feed(reader, "b FROB {3}\r\n");
  EXPECT_EQ(Take<BadCommand>(reader.Next())->tag, "b");
  Feed(reader, "c NOOP\r\n");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "c");
}

TEST(CommandReaderTest, OctetsOfARefusedLiteralPlusAreSkipped) {
  CommandReader reader = Authenticated();
  Feed(reader, "a FROB {9+}\r\nb NOOP\r\n!{4+}\r\nc N\n x {2}\r\nd NOOP\r\n");
  EXPECT_EQ(Take<BadCommand>(reader.Next())->tag, "a");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "d");
}

TEST(CommandReaderTest, ALiteralOverTheLimitIsTooBigAndNeverAskedFor) {
  CommandReader reader;
  Feed(reader, "a SELECT {1025}\r\nb SELECT {1025+}\r\n" + std::string(1025, 'x') + "\r\nc NOOP\r\n");
  auto bad = Take<BadCommand>(reader.Next());
  EXPECT_EQ(bad->tag, "a");
  EXPECT_EQ(bad->reply, No(ResponseCode::kTooBig, "Literal is too big"));
  EXPECT_FALSE(bad->fatal);
  EXPECT_EQ(Take<BadCommand>(reader.Next())->tag, "b");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "c");

  reader.SetAuthenticated();
  Feed(reader, "d SELECT {1025}\r\n");
  EXPECT_TRUE(Take<NeedContinuation>(reader.Next()));
}

TEST(CommandReaderTest, AnEntryValueOverTheLimitIsToldTheStoresLimit) {
  CommandReader reader = Authenticated();
  reader.SetMetadataValueLimit(2048);
  Feed(reader, "a SETMETADATA x (/shared/a {65537}\r\n");
  const auto bad = Take<BadCommand>(reader.Next());
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->tag, "a");
  EXPECT_EQ(bad->reply.status, Reply::Status::kNo);
  EXPECT_EQ(bad->reply.code, ResponseCode::MetadataMaxSize{2048});
  Feed(reader, "b NOOP\r\n");
  EXPECT_TRUE(Take<TaggedCommand>(reader.Next()));
}

TEST(CommandReaderTest, ANonSynchronizingLiteralTooBigToSkipIsFatal) {
  CommandReader reader;
  Feed(reader, "a SELECT {99999999999999999999999+}\r\n");
  EXPECT_FALSE(Take<BadCommand>(reader.Next())->fatal);
  EXPECT_TRUE(Take<BadCommand>(reader.Next())->fatal);
  Feed(reader, "b NOOP\r\n");
  EXPECT_TRUE(Take<NeedBytes>(reader.Next()));
  EXPECT_EQ(reader.HeapBytes(), 0U);
}

TEST(CommandReaderTest, AHugeNumberIsSeenInASkippedLineThatDrips) {
  for (const std::size_t chunk : {1U, 1000U}) {
    CommandReader reader = Authenticated();
    const std::string wire = "a FROB {1+}\r\nx {" + std::string(40, '9') + "+}\r\nb NOOP\r\n";
    bool fatal = false;
    for (std::size_t i = 0; i < wire.size(); i += chunk) {
      Feed(reader, std::string_view(wire).substr(i, chunk));
      for (Step step = reader.Next(); !std::holds_alternative<NeedBytes>(step); step = reader.Next()) {
        if (const auto* bad = std::get_if<BadCommand>(&step)) fatal = fatal || bad->fatal;
        EXPECT_FALSE(std::holds_alternative<TaggedCommand>(step));
      }
    }
    EXPECT_TRUE(fatal) << "in chunks of " << chunk;
  }
}

TEST(CommandReaderTest, TheLiteralsOfOneCommandHaveALimit) {
  CommandReader reader = Authenticated();
  const std::string key = "FROM {1+}\r\nx ";
  std::string wire = "a SEARCH ";
  for (std::size_t i = 0; i <= limits::kLiteralCount; ++i) wire += key;
  Feed(reader, wire + "ALL\r\nb NOOP\r\n");
  EXPECT_EQ(Take<BadCommand>(reader.Next())->reply.text, "Too many literals in one command");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "b");

  const std::string big = "FROM {8192+}\r\n" + std::string(8192, 'x') + " ";
  wire = "c SEARCH ";
  for (std::size_t i = 0; i <= limits::kLiteralsPerCommand / 8192; ++i) wire += big;
  Feed(reader, wire + "ALL\r\nd NOOP\r\n");
  EXPECT_EQ(Take<BadCommand>(reader.Next())->reply.code, ResponseCode::kTooBig);
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "d");
}

TEST(CommandReaderTest, ALineOverTheLimitIsRefusedUnderItsTagAndSkipped) {
  CommandReader reader;
  const std::string line = "a LOGIN x " + std::string(limits::kLineBeforeLogin, 'y');
  Feed(reader, line);
  const auto bad = Take<BadCommand>(reader.Next());
  EXPECT_EQ(bad->tag, "a");
  EXPECT_EQ(bad->reply, Bad("Command line is too long"));
  EXPECT_FALSE(bad->fatal);
  Feed(reader, "more {3+}\r\nabc and more\r\nb NOOP\r\n");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "b");
}

TEST(CommandReaderTest, ALineWithoutEndIsFatalAndNeverBuffered) {
  CommandReader reader;
  bool fatal = false;
  for (int i = 0; i < 1000 && !fatal; ++i) {
    Feed(reader, std::string(1024, 'x'));
    for (Step step = reader.Next(); !std::holds_alternative<NeedBytes>(step); step = reader.Next()) {
      if (const auto* bad = std::get_if<BadCommand>(&step)) fatal = fatal || bad->fatal;
    }
    EXPECT_LE(reader.HeapBytes(), 4 * limits::kLineBeforeLogin);
  }
  EXPECT_TRUE(fatal);
}

TEST(CommandReaderTest, LimitsAreWiderAfterLogin) {
  CommandReader reader = Authenticated();
  const std::string set(limits::kLineAfterLogin / 2, '1');
  Feed(reader, "a NOOP " + set + "\r\n");
  EXPECT_EQ(Take<BadCommand>(reader.Next())->reply.text, "expected CRLF at column 7");
}

TEST(CommandReaderTest, IdleReadsOneLineThatIsNoCommand) {
  CommandReader reader = Authenticated();
  Feed(reader, "a IDLE\r\nDONE\r\nb NOOP\r\n");
  EXPECT_TRUE(Take<TaggedCommand>(reader.Next()));
  reader.ExpectLine();
  EXPECT_EQ(Take<Line>(reader.Next())->text, "DONE");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "b");
}

TEST(CommandReaderTest, SaslResponsesAreLines) {
  CommandReader reader;
  Feed(reader, "a AUTHENTICATE LOGIN\r\n");
  EXPECT_TRUE(Take<TaggedCommand>(reader.Next()));
  reader.ExpectLine();
  EXPECT_TRUE(Take<NeedBytes>(reader.Next()));
  EXPECT_EQ(reader.HeapBytes(), 0U);
  Feed(reader, "dXNlcg==\r");
  EXPECT_TRUE(Take<NeedBytes>(reader.Next()));
  Feed(reader, "\n*\n");
  EXPECT_EQ(Take<Line>(reader.Next())->text, "dXNlcg==");
  reader.ExpectLine();
  EXPECT_EQ(Take<Line>(reader.Next())->text, "*");
}

TEST(CommandReaderTest, ALongLineThatIsNoCommandIsFatal) {
  CommandReader reader;
  reader.ExpectLine();
  Feed(reader, std::string(limits::kLineBeforeLogin + 1, 'x'));
  EXPECT_TRUE(Take<BadCommand>(reader.Next())->fatal);
}

TEST(CommandReaderTest, ARefusedSynchronizingAppendEndsTheCommand) {
  CommandReader reader = Authenticated();
  Feed(reader, "a APPEND x {1000}\r\n");
  EXPECT_TRUE(Take<command::AppendBegin>(reader.Next()));
  EXPECT_TRUE(Take<command::AppendMessage>(reader.Next()));
  reader.Refuse();
  EXPECT_TRUE(Take<NeedBytes>(reader.Next()));
  EXPECT_EQ(reader.HeapBytes(), 0U);
  Feed(reader, "b NOOP\r\n");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "b");
}

TEST(CommandReaderTest, ARefusedLiteralPlusAppendIsSkipped) {
  for (const bool at_begin : {true, false}) {
    CommandReader reader = Authenticated();
    Feed(reader, "a APPEND x {5+}\r\nab\r\nc (\\Seen) {3+}\r\ndef\r\nb NOOP\r\n");
    EXPECT_TRUE(Take<command::AppendBegin>(reader.Next()));
    if (!at_begin) EXPECT_TRUE(Take<command::AppendMessage>(reader.Next()));
    reader.Refuse();
    EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "b");
  }
}

TEST(CommandReaderTest, ARefusedCatenateIsSkipped) {
  const std::string wire =
      "a APPEND x CATENATE (URL u TEXT {5+}\r\nab\r\nc TEXT {3+}\r\ndef URL v) CATENATE (URL w)\r\nb "
      "NOOP\r\n";
  for (int refused_at = 0; refused_at < 4; ++refused_at) {
    CommandReader reader = Authenticated();
    Feed(reader, wire);
    for (int i = 0; i <= refused_at; ++i) EXPECT_FALSE(std::holds_alternative<NeedBytes>(reader.Next())) << i;
    reader.Refuse();
    EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "b") << refused_at;
  }
}

TEST(CommandReaderTest, PartsOfOneAppendHaveALimit) {
  CommandReader reader = Authenticated();
  std::string wire = "a APPEND x CATENATE (URL u";
  for (std::size_t i = 0; i < limits::kCatenateParts; ++i) wire += " URL u";
  Feed(reader, wire + ")\r\nb NOOP\r\n");
  EXPECT_EQ(Take<BadCommand>(reader.Next())->reply.code, ResponseCode::kLimit);
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "b");
}

TEST(CommandReaderTest, AnEmptyMessageIsAnnouncedSoThatItCanBeRefused) {
  CommandReader reader = Authenticated();
  Feed(reader, "a APPEND x {0}\r\n");
  EXPECT_TRUE(Take<command::AppendBegin>(reader.Next()));
  EXPECT_EQ(Take<command::AppendMessage>(reader.Next())->size, 0U);
  reader.Refuse();
  Feed(reader, "b NOOP\r\n");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "b");
}

TEST(CommandReaderTest, NulIsForLiteral8Only) {
  CommandReader reader = Authenticated();
  Feed(reader, std::string_view("a APPEND x ~{3+}\r\n\0b\0\r\n", 23));
  EXPECT_TRUE(Take<command::AppendBegin>(reader.Next()));
  EXPECT_TRUE(Take<command::AppendMessage>(reader.Next())->binary);
  reader.Accept();
  EXPECT_EQ(Take<AppendOctets>(reader.Next())->octets.size(), 3U);
  EXPECT_TRUE(Take<AppendEnd>(reader.Next()));

  Feed(reader, std::string_view("b APPEND x {3}\r\n", 16));
  EXPECT_TRUE(Take<command::AppendBegin>(reader.Next()));
  EXPECT_TRUE(Take<command::AppendMessage>(reader.Next()));
  reader.Accept();
  Feed(reader, std::string_view("a\0", 2));
  EXPECT_EQ(Take<AppendOctets>(reader.Next())->octets.size(), 1U);
  EXPECT_EQ(Take<BadCommand>(reader.Next())->tag, "b");
  Feed(reader, "c\r\nc NOOP\r\n");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "c");
}

TEST(CommandReaderTest, MessagesOfOneAppendHaveALimit) {
  CommandReader reader = Authenticated();
  Feed(reader, "a APPEND x {1+}\r\ny");
  EXPECT_TRUE(Take<command::AppendBegin>(reader.Next()));
  for (std::size_t i = 0; i < limits::kMultiAppend; ++i) {
    EXPECT_EQ(Take<command::AppendMessage>(reader.Next())->index, i);
    reader.Accept();
    EXPECT_TRUE(Take<AppendOctets>(reader.Next()));
    Feed(reader, " {1+}\r\ny");
  }
  EXPECT_EQ(Take<BadCommand>(reader.Next())->reply.code, ResponseCode::kLimit);
  Feed(reader, "\r\nb NOOP\r\n");
  EXPECT_EQ(Take<TaggedCommand>(reader.Next())->tag, "b");
}

TEST(CommandReaderTest, AMessageOfManyMebibytesPassesThroughOneChunk) {
  CommandReader reader = Authenticated();
  constexpr std::size_t kSize = 20 << 20;
  Feed(reader, "a APPEND x {" + std::to_string(kSize) + "+}\r\n");
  EXPECT_TRUE(Take<command::AppendBegin>(reader.Next()));
  EXPECT_TRUE(Take<command::AppendMessage>(reader.Next()));
  reader.Accept();
  std::size_t got = 0;
  while (got < kSize) {
    Step step = reader.Next();
    if (const auto* append = std::get_if<AppendOctets>(&step)) {
      got += append->octets.size();
      continue;
    }
    ASSERT_TRUE(std::holds_alternative<NeedBytes>(step));
    const auto space = reader.Space();
    ASSERT_GE(space.size(), 4096U);
    ASSERT_LE(reader.HeapBytes(), 2 * limits::kStreamChunk);
    const std::size_t n = std::min(space.size(), kSize - got);
    std::memset(space.data(), 'x', n);
    reader.Grow(n);
  }
  Feed(reader, "\r\n");
  EXPECT_TRUE(Take<AppendEnd>(reader.Next()));
  EXPECT_TRUE(Take<NeedBytes>(reader.Next()));
  EXPECT_EQ(reader.HeapBytes(), 0U);
}

TEST(CommandReaderTest, InputBeforeTheTlsHandshakeIsDropped) {
  CommandReader reader;
  Feed(reader, "a STARTTLS\r\nb LOGIN evil x\r\n");
  EXPECT_TRUE(Take<TaggedCommand>(reader.Next()));
  EXPECT_TRUE(reader.HasInput());
  reader.DropInput();
  EXPECT_FALSE(reader.HasInput());
  EXPECT_TRUE(Take<NeedBytes>(reader.Next()));
}

TEST(CommandReaderTest, SpaceThatWasNotUsedIsGivenBack) {
  CommandReader reader;
  EXPECT_GE(reader.Space().size(), limits::kReadChunk);
  EXPECT_GT(reader.HeapBytes(), 0U);
  reader.Grow(0);
  EXPECT_EQ(reader.HeapBytes(), 0U);
}

TEST(CommandReaderTest, ALongTagKeepsNoMemoryAfterAppend) {
  CommandReader reader = Authenticated();
  Feed(reader, std::string(200, 't') + " APPEND x {1+}\r\ny\r\n");
  EXPECT_TRUE(Take<command::AppendBegin>(reader.Next()));
  EXPECT_TRUE(Take<command::AppendMessage>(reader.Next()));
  reader.Accept();
  EXPECT_TRUE(Take<AppendOctets>(reader.Next()));
  EXPECT_TRUE(Take<AppendEnd>(reader.Next()));
  EXPECT_TRUE(Take<NeedBytes>(reader.Next()));
  EXPECT_EQ(reader.HeapBytes(), 0U);
}

}  // namespace
}  // namespace protocol
