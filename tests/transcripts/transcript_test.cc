// Every tests/transcripts/<topic>/<case>.imap is one test, named topic.case.
//
//   transcript_test [gtest's options] [--server 127.0.0.1:PORT]
//
// With --server the dialogs are played against that server instead, which lets anybody in with "pass": an
// oracle for the expectations. What needs this server's own settings, or says "only here", is skipped.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/transcript_player.h"
#include "tests/transcripts/transcript_files.h"

namespace tests::transcript {

class TranscriptTest : public testing::Test {
 public:
  TranscriptTest(std::filesystem::path file, std::string server)
      : file_(std::move(file)), server_(std::move(server)) {}

  void TestBody() override {
    const auto script = ParseScript(ReadTranscript(file_));
    ASSERT_TRUE(script) << file_.string() << ": " << script.error();
    const auto names = [&](const char* source) { return script->comment.find(source) != std::string::npos; };
    EXPECT_TRUE(names("RFC") || names("CPM") || names("spec note")) << "the comment at the top must name the rule";
    if (!server_.empty() && NeedsLocalServer(*script)) GTEST_SKIP() << script->only_here;
    const auto server = server_.empty() ? NewLocalServer() : NewRemoteServer(server_);
    const auto failure = Play(*script, *server);
    if (failure) ADD_FAILURE_AT(file_.c_str(), 1) << *failure;
  }

 private:
  const std::filesystem::path file_;
  const std::string server_;
};

std::vector<std::filesystem::path> TranscriptFiles() {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path root = std::filesystem::path(CMSD_SOURCE_ROOT) / "tests" / "transcripts";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".imap") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string ReadTranscript(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace tests::transcript

namespace {

void RegisterAll(const std::string& server) {
  using tests::transcript::TranscriptTest;
  for (const auto& file : tests::transcript::TranscriptFiles()) {
    const std::string topic = file.parent_path().filename();
    const std::string name = file.stem();
    testing::RegisterTest(topic.c_str(), name.c_str(), nullptr, nullptr, file.c_str(), 1,
                          [file, server]() -> testing::Test* { return new TranscriptTest(file, server); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::string server;
  if (argc == 3 && std::string_view(argv[1]) == "--server") server = argv[2];
  RegisterAll(server);
  return RUN_ALL_TESTS();
}
