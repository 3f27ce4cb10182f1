// What a reference names, opened: what is not there, what may not be read, and what is damaged.
#include "server/references/part_reader.h"

#include <gtest/gtest.h>

#include "storage/schema/keys.h"
#include "storage/store/rights.h"
#include "tests/unit/server/references/desk_fixture.h"

namespace server::references {
namespace {

using storage::kv::Batch;
using storage::kv::Durability;
using storage::kv::Table;
using tests::Must;
using Form = PartReader::Form;

const std::string kMessage =
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAwQF\r\n--b--\r\n";

class PartReaderTest : public DeskFixture {
 protected:
  PartReaderTest() { Must(tests::Append(*store, owner, "INBOX", {kMessage})); }
  MessagePart PartAt(const std::string& section) {
    return {folder, {1}, *protocol::ReadSection(section), {}, {}};
  }
};

TEST_F(PartReaderTest, WhatIsNotThereIsNone) {
  EXPECT_NE(Must(PartReader::Open(*store, PartAt("1"))), nullptr);
  auto part = PartAt("1");
  part.uid = {2};
  EXPECT_EQ(Must(PartReader::Open(*store, part)), nullptr);
  part.folder.folder = {99};
  EXPECT_EQ(Must(PartReader::Open(*store, part)), nullptr);
  part.folder.account = {99};
  EXPECT_EQ(Must(PartReader::Open(*store, part)), nullptr);
}

TEST_F(PartReaderTest, WhoMayNotReadHasNone) {
  const auto bea = tests::CreateAccount(*store, "tel:+1556");
  const storage::Actor guest(
      {}, std::make_shared<storage::Principal>(bea, "tel:+1556", std::vector<std::string>{}));
  EXPECT_NE(Must(PartReader::Open(*store, PartAt("1"))), nullptr);  // by the owner's right
  EXPECT_EQ(Must(PartReader::Open(*store, PartAt("1"), {}, guest)), nullptr);
}

TEST_F(PartReaderTest, WhatIsDamagedIsAnError) {
  auto& engine = store->engine();
  const auto key = storage::schema::FolderKey{owner, folder.folder}.Encode();
  const auto put = [&](std::string value) {
    Batch batch;
    batch.Put(Table::kFolders, key, std::move(value));
    Must(engine.Apply(batch, Durability::kNow));
  };
  const auto sound = Must(engine.Get(Table::kFolders, key));
  ASSERT_TRUE(sound);
  put("?");
  const auto opened = PartReader::Open(*store, PartAt("1"));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, storage::Errc::kCorruption);
  put(*sound);
}

TEST_F(PartReaderTest, WhatHasToBeReadToBeCounted) {
  const auto image = Must(PartReader::Open(*store, PartAt("1")));
  EXPECT_EQ(image->ToCount(Form::kAsServed), 0U);
  EXPECT_EQ(image->ToCount(Form::kDecoded), 16U);  // decoded for its size, and for what it holds
  EXPECT_TRUE(image->Structure(Form::kDecoded));
  EXPECT_EQ(image->ToCount(Form::kDecoded), 8U);
  const auto header = Must(PartReader::Open(*store, PartAt("HEADER")));
  EXPECT_EQ(header->ToCount(Form::kAsServed), kMessage.find("--b"));
}

}  // namespace
}  // namespace server::references
