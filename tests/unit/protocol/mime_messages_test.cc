// Each message in tests/data/messages beside what Inspect() makes of it, as text. After a deliberate change
// write the expectations anew with CMS_WRITE_EXPECTED=1 and read the difference.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "protocol/mime/inspect.h"

namespace protocol::mime {
namespace {

namespace fs = std::filesystem;

const fs::path kMessages = TEST_DATA_DIR "/messages";

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Printable: CR as \r, other controls as \xNN; LF stays where `lines`.
std::string Visible(std::string_view text, bool lines = false) {
  std::string out;
  for (const char c : text) {
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += lines ? "\n  " : "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string Joined(const std::vector<std::string>& values) {
  std::string out;
  for (const auto& value : values) out += " " + value;
  return out;
}

std::string Describe(const Inspection& found) {
  std::string out;
  out += "ENVELOPE " + Visible(found.envelope) + "\n";
  out += "BODY " + Visible(found.body) + "\n";
  out += "BODYSTRUCTURE " + Visible(found.body_structure) + "\n";
  for (const Part& part : found.parts) {
    out += fmt::format("part kind={} encoding={} media={} header={}+{} body={}+{} lines={}+{} tree={}\n",
                       static_cast<int>(part.kind), static_cast<int>(part.encoding),
                       static_cast<int>(part.media), part.header_begin, part.body_begin - part.header_begin,
                       part.body_begin, part.body_end - part.body_begin, part.header_lines, part.body_lines,
                       part.subtree);
  }
  const auto value = [&](const char* name, const std::optional<std::string>& text) {
    if (text) out += fmt::format("{} = {}\n", name, Visible(*text));
  };
  value("conversation", found.conversation_id);
  value("contribution", found.contribution_id);
  value("in-reply-to-contribution", found.in_reply_to_contribution_id);
  value("imdn", found.imdn_message_id);
  value("message-id", found.message_id);
  value("correlator", found.message_correlator);
  value("context", found.message_context);
  value("direction", found.message_direction);
  value("content-type", found.content_type);
  value("from", found.from);
  value("to", found.to);
  value("subject", found.subject);
  if (!found.in_reply_to.empty()) out += "in-reply-to =" + Joined(found.in_reply_to) + "\n";
  if (!found.references.empty()) out += "references =" + Joined(found.references) + "\n";
  if (found.date) out += fmt::format("date = {} {:+}\n", found.date->unix_seconds, found.date->zone_minutes);
  out += "search header:\n  " + Visible(found.search_header, /*lines=*/true) + "\n";
  out += "search text:\n  " + Visible(found.search_text, /*lines=*/true) + "\n";
  out += fmt::format("truncated = {}\n", found.search_truncated);
  return out;
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kMessages)) {
    if (entry.path().extension() == ".eml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class MimeMessages : public testing::TestWithParam<std::string> {};

TEST_P(MimeMessages, AreInspectedAsExpected) {
  const std::string octets = ReadFile(kMessages / (GetParam() + ".eml"));
  const fs::path expected = kMessages / (GetParam() + ".expected");
  MemorySource source(octets);
  const auto found = Inspect(source);
  ASSERT_TRUE(found);
  std::string got = Describe(*found);
  if (got.size() > 16'384) {  // of the huge one, only the structure is worth a file
    got = "ENVELOPE " + Visible(found->envelope) + "\nBODYSTRUCTURE " + Visible(found->body_structure) +
          fmt::format("\ntruncated = {}\n", found->search_truncated);
  }
  if (std::getenv("CMS_WRITE_EXPECTED") != nullptr) std::ofstream(expected, std::ios::binary) << got;
  EXPECT_EQ(got, ReadFile(expected));
}

INSTANTIATE_TEST_SUITE_P(Corpus, MimeMessages, testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

TEST(MimeMessagesTest, CorpusIsThere) { EXPECT_GE(Names().size(), 30U); }

}  // namespace
}  // namespace protocol::mime
