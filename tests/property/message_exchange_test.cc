// Messages of any shape that are stored, given out with references in place of their attachments, and put
// together again: what every part holds comes back (System Description §5.2.2.1.6, §5.2.2.1.7).
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/mime/inspect.h"
#include "protocol/mime/octet_reader.h"
#include "protocol/text/base64_lines.h"
#include "server/references/leaves.h"
#include "tests/support/random_rounds.h"
#include "tests/unit/server/references/desk_fixture.h"

namespace server::references {
namespace {

using tests::Below;
using tests::Chance;
using tests::Must;
using tests::Random;

/// What a message consists of, and how it is said.
class Messages {
 public:
  explicit Messages(Random& random) : random_(random) {}

  std::string Entity(int depth) {
    if (depth == 0 || Chance(random_, 40)) return Leaf();
    const std::string boundary = "b" + std::to_string(++boundaries_);
    std::string body = Chance(random_, 30) ? "Before.\r\n" : "";
    const auto parts = 1 + Below(random_, 4);
    for (std::uint32_t i = 0; i < parts; ++i) body += "--" + boundary + "\r\n" + Entity(depth - 1) + "\r\n";
    body += "--" + boundary + "--" + (Chance(random_, 50) ? "\r\nAfter." : "");
    return Length(body) + "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n" + body;
  }
  std::string Cpim() { return "From: <tel:+1556>\r\nTo: <tel:+1555>\r\n\r\n" + Entity(2); }

 private:
  std::string Octets() {
    std::string out(Below(random_, Chance(random_, 10) ? 5'000 : 60), ' ');
    for (char& c : out) c = static_cast<char>(Below(random_, 256));
    return out;
  }
  std::string Length(const std::string& body) {
    return Chance(random_, 30) ? "Content-Length: " + std::to_string(body.size()) + "\r\n" : "";
  }
  std::string Leaf() {
    switch (Below(random_, 6)) {
      case 0: return "Content-Type: text/plain\r\n\r\nHello.\r\n\r\nWorld.";
      case 1: return "Content-Type: text/plain; name=a.txt\r\n\r\nA line.\r\n";
      case 2: return "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nwithin";
      case 3:
        return "Content-Type: image/png\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=00=FF a=\r\nb";
      case 4: {
        std::string text;
        protocol::text::Base64Lines lines;
        lines.Add(text, Octets());
        lines.End(text);
        return Length(text) + "Content-Type: image/png; name=x.png\r\nContent-ID: <" +
               std::to_string(++boundaries_) + "@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n" + text;
      }
      default: {
        auto octets = Octets();  // no line of which is a boundary, as "--b" needs its number
        std::erase(octets, '-');
        return "Content-Type: audio/x\r\nContent-Transfer-Encoding: binary\r\n\r\n" + octets;
      }
    }
  }

  Random& random_;
  int boundaries_ = 0;
};

class MessageExchangeTest : public DeskFixture {
 protected:
  /// Of each leaf its octets without transfer encoding.
  static std::vector<std::string> LeavesOf(std::string_view message) {
    protocol::mime::MemorySource source(message);
    const auto inspection = protocol::mime::Inspect(source);
    std::vector<std::string> out;
    ForEachLeaf(inspection->parts, [&](std::size_t index, const auto&) {
      const auto& part = inspection->parts[index];
      if (part.media == protocol::mime::Media::kCpim) {
        const auto body = message.substr(part.body_begin, part.body_end - part.body_begin);
        const auto inside = LeavesOf(body.substr(EntityBegin(body)));
        out.insert(out.end(), inside.begin(), inside.end());
        return true;
      }
      const auto size = protocol::mime::DecodedSize(source, part);
      EXPECT_TRUE(size.has_value());
      auto octets = protocol::mime::OctetReader::Decoded(source, part, {0, size.value_or(0)});
      EXPECT_TRUE(octets && octets->Read(out.emplace_back(), octets->left()));
      return true;
    });
    return out;
  }

  /// The message with a reference for each attachment.
  std::string ExternalBodyOf(const std::string& message, std::size_t& references) {
    const auto uid = Put(message);
    const auto attachments = Must(desk.Attachments(folder, uid));
    const auto issued = IssueFor(uid, attachments);
    references = issued.size();
    return All(Must(Externalise(*store, folder, uid, attachments, issued)));
  }
};

TEST_F(MessageExchangeTest, WhatWentOutComesBack) {
  tests::PlayRounds(300, [&](std::uint32_t seed) {
    Random random(seed);
    Messages messages(random);
    const bool cpim = Chance(random, 50);
    const std::string message =
        cpim ? "Content-Type: message/cpim\r\n\r\n" + messages.Cpim() : messages.Entity(3);
    std::size_t references = 0;
    const auto without = ExternalBodyOf(message, references);
    SCOPED_TRACE(::testing::Message() << "seed " << seed << "\n" << message << "\n----\n" << without);
    const auto resolved =
        Must(Resolve(*store, desk, without, false, {owner, storage::Role::kPf}, {}, 1 << 20));
    EXPECT_TRUE(resolved.not_resolved.empty());
    EXPECT_EQ(resolved.references, references);
    EXPECT_EQ(LeavesOf(ResolvedOf(without)), LeavesOf(message));
  });
}

}  // namespace
}  // namespace server::references
