// What a step of a long answer is, and what of it has gone out.
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "server/imap/wire.h"
#include "tests/unit/server/net/stream_fixture.h"

namespace server_test {
namespace {

using protocol::mime::Octets;
using server::imap::Output;

class OutputTest : public StreamTest {
 protected:
  /// As a cache has them.
  static Octets Shared(std::size_t size) {
    const auto owner = std::make_shared<const std::string>(size, 's');
    return {owner, *owner};
  }
  Output out_{*stream_};
};

TEST_F(OutputTest, AStepIsLessOfWhatNobodyElseHolds) {
  out_.Append(Shared(Output::kStep / 2));
  EXPECT_FALSE(out_.HasStep());
  out_.text().append(Output::kStepAlone / 2, 't');
  EXPECT_FALSE(out_.HasStep());
  out_.Append(Octets(std::string(Output::kStepAlone / 2, 'a')));
  EXPECT_TRUE(out_.HasStep());
}

TEST_F(OutputTest, AStepHasFewPieces) {
  for (std::size_t i = 0; i < Output::kStepPieces; ++i) {
    EXPECT_FALSE(out_.HasStep()) << i;
    out_.Append(Shared(40'000));
  }
  EXPECT_TRUE(out_.HasStep());
}

TEST_F(OutputTest, WhatIsSentBelongsToNoStepAnyMore) {
  out_.text() = "head";
  for (int i = 0; i < 2; ++i) out_.Append(Shared(Output::kStep / 2));
  out_.Append(Octets(std::string(100'000, 'a')));
  out_.text() += "tail";
  const std::size_t size = out_.size();
  std::string received;
  std::thread reader([&] { received = Receive(client_.get(), size); });
  EXPECT_TRUE(Run(out_.Flush()));
  reader.join();
  EXPECT_TRUE(received == "head" + std::string(Output::kStep, 's') + std::string(100'000, 'a') + "tail");
  EXPECT_EQ(out_.octets_sent(), size);
  out_.text().append(Output::kStepAlone - 1, 't');
  EXPECT_FALSE(out_.HasStep());
}

TEST_F(OutputTest, OfAStepThatBreaksOffWhatHasGoneOutIsCounted) {
  SetKernelBuffer(64 * 1024);
  out_.Append(Shared(Output::kStep));
  const auto sent = Spawn(out_.Flush());
  Turn();
  stream_->Close();
  Finish();
  EXPECT_EQ(sent->value, false);
  EXPECT_GT(out_.octets_sent(), 0U);
  EXPECT_LT(out_.octets_sent(), Output::kStep);
}

}  // namespace
}  // namespace server_test
