#include "tools/cms-admin/folder_tree.h"

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"
#include "tools/cms-admin/command.h"

namespace admin_test {
namespace {

namespace fs = std::filesystem;
using admin::Format;
using admin::LocalMessage;
using protocol::SystemFlag;
using testing::ElementsAre;
using testing::HasSubstr;

/// Folder -> octets of its messages.
using Tree = std::map<std::string, std::vector<std::string>>;

class FolderTreeTest : public testing::Test {
 protected:
  fs::path root() const { return folder_.path() / "tree"; }

  void Put(const fs::path& relative, const std::string& octets) const {
    fs::create_directories((root() / relative).parent_path());
    std::ofstream(root() / relative, std::ios::binary) << octets;
  }

  Tree Find(Format format, const std::string& base = {}) const {
    Tree tree;
    for (const auto& folder : admin::FindFolders(root(), format, base)) {
      auto& messages = tree[folder.name];
      folder.read([&](const LocalMessage& message) {
        messages.push_back(message.octets);
        return true;
      });
    }
    return tree;
  }

  std::string Refusal(Format format) const {
    try {
      for (const auto& folder : admin::FindFolders(root(), format, {}))
        folder.read([](const LocalMessage&) { return true; });
    } catch (const admin::Failure& failure) {
      return failure.what();
    }
    return "no refusal";
  }

  tests::TempFolder folder_;
};

class EveryFormat : public FolderTreeTest, public testing::WithParamInterface<Format> {};

TEST_P(EveryFormat, GivesBackFoldersEmptyOnesTooAndMessages) {
  const Tree original = {
      {"INBOX", {"Subject: 1\r\n\r\n", "Subject: 2\r\n\r\n"}},
      {"Empty", {}},
      {"a", {}},
      {"a/b", {"\r\nx\r\n"}},
      {"a/b/c", {}},
      {"cur", {}},
      {"a/new", {"\r\nnew\r\n"}},
      {".hidden", {}},
      {"a%2Fb", {"\r\npercent\r\n"}},
      {"x.mbox", {}},
      {"x.eml", {"\r\neml\r\n"}},
      {"Größe/日本", {}},
  };
  const auto writer = admin::TreeWriter::Open(root(), GetParam());
  for (const auto& [folder, messages] : original) {
    writer->Begin(folder);
    for (std::uint32_t uid = 1; uid <= messages.size(); ++uid)
      writer->Add(uid, {.octets = messages[uid - 1], .flags = {}, .date = {}});
  }
  writer->Finish();
  EXPECT_EQ(Find(GetParam()), original);
  EXPECT_EQ(Find(Format::kAuto), original) << "and the format is recognised";
}

TEST_P(EveryFormat, FlagsAndDatesComeBack) {
  LocalMessage message{.octets = "\r\nx\r\n", .flags = {SystemFlag::kSeen, SystemFlag::kDeleted}, .date = {}};
  message.flags.Insert("$Forwarded");
  message.date = protocol::InternalDate{1'402'760'520, 120};
  const auto writer = admin::TreeWriter::Open(root(), GetParam());
  writer->Begin("INBOX");
  writer->Add(7, message);
  writer->Finish();
  int seen = 0;
  admin::FindFolders(root(), GetParam(), {}).at(0).read([&](const LocalMessage& back) {
    EXPECT_EQ(back.octets, message.octets);
    EXPECT_EQ(back.flags, message.flags);
    EXPECT_EQ(back.date, message.date);
    ++seen;
    return true;
  });
  EXPECT_EQ(seen, 1);
}

TEST_P(EveryFormat, WritesOnlyWhereNothingIs) {
  Put("something", "x");
  EXPECT_THROW(admin::TreeWriter::Open(root(), GetParam()), admin::Failure);
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat, testing::Values(Format::kMaildir, Format::kMbox, Format::kEml),
                         [](const auto& info) {
                           return info.param == Format::kMaildir ? "Maildir"
                                  : info.param == Format::kMbox  ? "Mbox"
                                                                 : "Eml";
                         });

TEST_F(FolderTreeTest, MaildirPlusPlusNamesAndBothOfNewAndCur) {
  Put("cur/1:2,S", "\n1\n");
  Put("new/2", "\n2\n");
  Put(".Sent.2024/cur/3", "\n3\n");
  EXPECT_EQ(Find(Format::kAuto), (Tree{{"INBOX", {"\r\n1\r\n", "\r\n2\r\n"}}, {"Sent/2024", {"\r\n3\r\n"}}}));
}

TEST_F(FolderTreeTest, BaseIsWhereTheTopGoes) {
  Put("top.eml", "\n1\n");
  Put("below/one.eml", "\n2\n");
  EXPECT_EQ(Find(Format::kEml, "Old"), (Tree{{"Old", {"\r\n1\r\n"}}, {"Old/below", {"\r\n2\r\n"}}}));
}

TEST_F(FolderTreeTest, NothingOfTheFormatIsRefused) {
  Put("readme.txt", "x");
  EXPECT_THAT(Refusal(Format::kEml), HasSubstr("holds no messages of this format"));
  EXPECT_THAT(Refusal(Format::kMbox), HasSubstr("holds no messages of this format"));
  EXPECT_THAT(Refusal(Format::kMaildir), HasSubstr("holds no messages of this format"));
}

// A manifest or a link comes from whoever made the tree: it must not make the operator read other files.

TEST_F(FolderTreeTest, ManifestNamesNothingAboveTheTree) {
  std::ofstream(folder_.path() / "secret") << "secret";
  for (const auto* file : {"../secret", "a/../../secret"}) {
    Put("a/x", "");
    Put("manifest.jsonl", std::string(R"({"file":")") + file + R"(","folder":"INBOX"})" + "\n");
    EXPECT_THAT(Refusal(Format::kEml), HasSubstr("is not below the folder that is imported")) << file;
  }
  const auto absolute = (folder_.path() / "secret").string();
  Put("manifest.jsonl", R"({"file":")" + absolute + R"(","folder":"INBOX"})" + "\n");
  EXPECT_THAT(Refusal(Format::kEml), HasSubstr("is not below the folder that is imported"));
}

TEST_F(FolderTreeTest, LinksOutOfTheTreeAreNotFollowed) {
  std::ofstream(folder_.path() / "secret") << "From a x\n\nsecret\n";
  Put("own.eml", "\nown\n");
  Put("own.mbox", "From a x\n\nown\n");
  Put("cur/own", "\nown\n");
  fs::create_symlink(folder_.path() / "secret", root() / "link.eml");
  fs::create_symlink(folder_.path() / "secret", root() / "link.mbox");
  fs::create_symlink(folder_.path() / "secret", root() / "cur" / "link");
  EXPECT_EQ(Find(Format::kEml), (Tree{{"INBOX", {"\r\nown\r\n"}}}));
  EXPECT_EQ(Find(Format::kMbox), (Tree{{"own", {"\r\nown\r\n"}}}));
  EXPECT_EQ(Find(Format::kMaildir), (Tree{{"INBOX", {"\r\nown\r\n"}}}));
}

TEST_F(FolderTreeTest, ManifestWithoutAFolderSaysWhichLine) {
  Put("1.eml", "x");
  Put("manifest.jsonl", R"({"file":"1.eml","folder":"INBOX"})"
                        "\n"
                        R"({"file":"1.eml"})"
                        "\n");
  EXPECT_THAT(Refusal(Format::kEml), HasSubstr("manifest.jsonl:2: needs \"folder\""));
  Put("manifest.jsonl", R"({"file":"gone.eml","folder":"INBOX"})"
                        "\n");
  EXPECT_THAT(Refusal(Format::kEml), HasSubstr("gone.eml is missing"));
}

}  // namespace
}  // namespace admin_test
