// What is answered out of memory needs no turn of the storage pool.
#include <atomic>
#include <functional>
#include <latch>
#include <string>

#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class AtOnceTest : public ImapTest {
 protected:
  AtOnceTest() {
    EXPECT_THAT(client_.Append("INBOX", kMessage), HasSubstr("a OK"));
    plain_ = Authorised("1");
    encoded_ = Authorised("2");
  }
  ~AtOnceTest() override {
    Release();
    Drain();
  }

  std::string Authorised(const std::string& section) {
    const auto answer = client_("GENURLAUTH \"" + Rump(section) + "\" INTERNAL");
    const auto begin = answer.find("imap://");
    return begin == std::string::npos ? answer : answer.substr(begin, answer.find('"', begin) - begin);
  }
  static std::string Rump(const std::string& section) {
    return "imap://user1%40example.com@localhost/INBOX/;uid=1/;section=" + section +
           ";urlauth=user+user1%40example.com";
  }

  /// Each thread of the pool waits for Release().
  void Occupy() {
    for (std::size_t i = 0; i < kThreads; ++i)
      asio::co_spawn(reactor_.context(), storage_.Run(wait_), asio::detached);
    // Not busy(): a job that has ended may still be counted there.
    while (waiting_ < kThreads) reactor_.context().run_one_for(std::chrono::milliseconds(1));
  }
  void Release() {
    if (!done_.try_wait()) done_.count_down();
  }

  static constexpr const char* kMessage =
      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
      "--x\r\n\r\nplain\r\n"
      "--x\r\nContent-Transfer-Encoding: base64\r\n\r\nZGVjb2RlZA==\r\n--x--\r\n";

  std::latch done_{1};
  std::atomic<std::size_t> waiting_ = 0;
  std::function<void()> wait_ = [this] {
    ++waiting_;
    done_.wait();
  };
  Client client_ = LoggedIn();
  std::string plain_;
  std::string encoded_;
};

TEST_F(AtOnceTest, RowsAreTold) {
  Occupy();
  EXPECT_THAT(client_("STATUS INBOX (MESSAGES UIDNEXT UNSEEN)"),
              StartsWith("* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UNSEEN 1)\n"));
  EXPECT_THAT(client_("MYRIGHTS INBOX"), StartsWith("* MYRIGHTS INBOX "));
  EXPECT_THAT(client_("GETACL INBOX"), HasSubstr("a OK"));
  EXPECT_THAT(client_("LISTRIGHTS INBOX anyone"), StartsWith("* LISTRIGHTS INBOX "));
  EXPECT_THAT(client_("GETQUOTAROOT INBOX"), StartsWith("* QUOTAROOT INBOX "));
  EXPECT_EQ(storage_.busy(), kThreads);
}

TEST_F(AtOnceTest, WhatIsCountedWaitsForItsTurn) {
  Occupy();
  client_.Send("a STATUS INBOX (RECENT)\r\n");
  while (storage_.queued() == 0) ASSERT_GT(reactor_.context().run_one_for(kHang), 0U);
  Release();
  EXPECT_THAT(client_.Answer(), StartsWith("* STATUS INBOX (RECENT 1)\n"));
}

TEST_F(AtOnceTest, UrlsAreAuthorisedAndFetched) {
  Occupy();
  EXPECT_EQ(Authorised("1"), plain_);
  EXPECT_EQ(client_("URLFETCH \"" + plain_ + "\""),
            "* URLFETCH \"" + plain_ + "\" {5}\nplain\na OK URLFETCH completed\n");
  EXPECT_THAT(client_("URLFETCH \"" + encoded_ + "\""), HasSubstr("{12}\nZGVjb2RlZA=="));
  EXPECT_EQ(storage_.busy(), kThreads);
}

TEST_F(AtOnceTest, WhatTakesLongWaitsForItsTurn) {
  Occupy();
  client_.Send("a URLFETCH (\"" + encoded_ + "\" BINARY)\r\n");
  while (storage_.queued() == 0) ASSERT_GT(reactor_.context().run_one_for(kHang), 0U);
  EXPECT_THAT(client_.Pushed(), IsEmpty());
  Release();
  EXPECT_THAT(client_.Answer(), HasSubstr("{7}\ndecoded)\na OK"));
}

TEST_F(AtOnceTest, WhatIsNoGoodWaitsForItsTurnWhyeverItIsNone) {
  Occupy();
  client_.Send("a URLFETCH \"" + plain_ + "0\"\r\n");
  while (storage_.queued() == 0) ASSERT_GT(reactor_.context().run_one_for(kHang), 0U);
  Release();
  EXPECT_THAT(client_.Answer(), HasSubstr("0\" NIL\na OK"));
}

TEST_F(AtOnceTest, OfSeveralTheFirstWaitsForNobody) {
  Occupy();
  client_.Send("a URLFETCH \"" + plain_ + "\" \"" + encoded_ + "\"\r\n");
  EXPECT_THAT(client_.Line(), StartsWith("* URLFETCH \"" + plain_ + "\" {5}"));
  Release();
  EXPECT_THAT(client_.Answer(), EndsWith("{12}\nZGVjb2RlZA==\na OK URLFETCH completed\n"));
}

}  // namespace
}  // namespace server::imap
