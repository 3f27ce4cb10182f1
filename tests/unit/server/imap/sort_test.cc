// SORT and THREAD of what hostile senders fill a folder with.
#include "protocol/imap/limits.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class HostileFolderTest : public ImapTest {
 protected:
  /// Messages with as many and as long references as are looked at, none of which come twice.
  void AppendGreedy(int messages) {
    for (int i = 0; i < messages; ++i) {
      std::string text = "Message-ID: <m" + std::to_string(i) + "@x>\r\nReferences:";
      for (std::size_t r = 0; r < protocol::limits::kThreadReferences; ++r) {
        std::string id = std::to_string(i) + "." + std::to_string(r) + "@x";
        id.insert(0, protocol::limits::kThreadId - id.size(), 'r');
        text += "\r\n <" + id + ">";
      }
      text += "\r\n\r\nx\r\n";
      auto body = store_->Stage(account_);
      ASSERT_TRUE(body);
      ASSERT_TRUE(body->Write(text));
      std::vector<storage::NewMessage> batch;
      batch.push_back({*std::move(body), {}, protocol::InternalDate{1'700'000'000, 0}});
      const auto done = store_->Append(account_, "INBOX", std::move(batch));
      ASSERT_TRUE(done) << done.error().detail;
    }
  }
};

TEST_F(HostileFolderTest, IsRefusedWhenItIsMoreThanMemoryMayHold) {
  constexpr auto kOfOne = protocol::limits::kThreadReferences * protocol::limits::kThreadId;
  constexpr int kTooMany = static_cast<int>(protocol::limits::kSortMemory / kOfOne) + 1;
  AppendGreedy(kTooMany);
  Client client = Selected();
  EXPECT_THAT(client("THREAD REFERENCES UTF-8 ALL"), StartsWith("a NO [LIMIT] Too much to sort at once"));
  EXPECT_THAT(client("THREAD REFERENCES UTF-8 1:100"), HasSubstr("a OK")) << "less of it is";
  EXPECT_THAT(client("THREAD ORDEREDSUBJECT UTF-8 ALL"), HasSubstr("a OK"));
  EXPECT_THAT(client("SORT (SUBJECT) UTF-8 ALL"), EndsWith("a OK SORT completed\n"));
}

TEST_F(HostileFolderTest, OnlyTheNearestReferencesCount) {
  const auto reply = [&](std::size_t far, std::size_t near) {
    std::string text = "Subject: reply" + std::to_string(far) + "\r\nReferences: <far@x>";
    for (std::size_t i = 0; i < near; ++i)
      text += "\r\n <" + std::to_string(far) + "." + std::to_string(i) + "@x>";
    return text + "\r\n\r\nx\r\n";
  };
  Client client = Selected();
  client.Append("INBOX", "Subject: far\r\nMessage-ID: <far@x>\r\n\r\nx\r\n");
  client.Append("INBOX", reply(1, protocol::limits::kThreadReferences - 1));
  client.Append("INBOX", reply(2, protocol::limits::kThreadReferences));
  EXPECT_THAT(client("THREAD REFERENCES UTF-8 ALL"), HasSubstr("* THREAD (1 2)(3)\n"));
}

TEST_F(HostileFolderTest, LongHeadersAreReadFromTheirFirstChunk) {
  Client client = Selected();
  client.Append("INBOX", "Message-ID: <a@x>\r\nSubject: a\r\n\r\nx\r\n");
  client.Append("INBOX",
                "X-Long: " + std::string(20'000, 'x') + "\r\nSubject: b\r\nReferences: <a@x>\r\n\r\nx\r\n");
  client.Append("INBOX", "Subject: c\r\nReferences: <a@x>\r\n\r\n" + std::string(300'000, 'x') + "\r\n");
  EXPECT_THAT(client("THREAD REFERENCES UTF-8 ALL"), HasSubstr("* THREAD (1 (2)(3))\n"));
}

}  // namespace
}  // namespace server::imap
