// Exact look-ups against a scan of everything that is there.
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "storage/store/id_lookup.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using storage::FoundMessage;
using storage::IdKind;

constexpr std::array<std::pair<const char*, IdKind>, 3> kFields{{{"Contribution-ID", IdKind::kContribution},
                                                                 {"IMDN-Message-ID", IdKind::kImdnMessage},
                                                                 {"Message-ID", IdKind::kMessage}}};

/// Few values, which are parts of one another; some are cut in the index.
rc::Gen<std::string> Values() {
  const std::string stem(199, 'x');
  return rc::gen::element<std::string>("a", "ab", "A", "<a>", "<ab>", stem, stem + "a", stem + "ab",
                                       stem + "abc", "<" + stem + ">", stem + "a b");
}

bool Same(IdKind kind, const std::string& stored, const std::string& asked) {
  return stored == asked ||
         (kind == IdKind::kMessage && ("<" + stored + ">" == asked || stored == "<" + asked + ">"));
}

RC_GTEST_PROP(IdLookup, FindsWhatAScanFinds, ()) {
  TempStore store;
  const auto account = CreateAccount(*store);
  Must(store->CreateFolder(account, "f", {}));
  /// What each message's field says.
  std::map<FoundMessage, std::pair<IdKind, std::string>> there;
  const auto folder_of = [&](const char* name) { return Must(store->GetFolder(account, name)).ref; };
  const std::array folders{folder_of("INBOX"), folder_of("f")};
  const std::array names{"INBOX", "f"};

  const int steps = *rc::gen::inRange(1, 25);
  for (int i = 0; i < steps; ++i) {
    const std::size_t in = *rc::gen::inRange<std::size_t>(0, 2);
    const auto what = *rc::gen::inRange(0, 6);
    const auto folder = folders[in].folder;
    if (what < 4 || there.empty()) {
      const auto& [field, kind] = *rc::gen::elementOf(kFields);
      const std::string value = *Values();
      const auto added =
          Must(Append(*store, account, names[in], {std::string(field) + ": " + value + "\r\n\r\nx\r\n"}));
      there[{folder, added.uids.front()}] = {kind, value};
      continue;
    }
    const auto at = std::next(
        there.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(there.size())));
    const auto [message, said] = *at;
    const storage::FolderRef from{account, message.folder};
    const storage::UidSet uid(message.uid, message.uid);
    if (what == 4) {
      const auto moved = Must(store->Move(from, uid, names[in]));
      there.erase(message);
      there[{folder, moved.target.front()}] = said;
    } else {
      Must(store->UpdateFlags(from, uid, {protocol::FlagChange::Op::kAdd, Flags({"\\Deleted"})}));
      Must(store->Expunge(from, uid));
      there.erase(message);
    }
  }

  for (const auto& [field, kind] : kFields) {
    const std::string asked = *Values();
    std::vector<FoundMessage> expected;
    for (const auto& [message, said] : there) {
      if (said.first == kind && Same(kind, said.second, asked)) expected.push_back(message);
    }
    RC_TAG(expected.empty());
    RC_ASSERT(Must(store->FindById(account, kind, asked)) == expected);
    for (const auto& folder : folders) {
      storage::UidSet in_folder;
      for (const auto& message : expected) {
        if (message.folder == folder.folder) in_folder.Add(message.uid);
      }
      RC_ASSERT(Must(Must(store->Read(folder)).FindById(kind, asked)) == in_folder);
    }
  }
}

}  // namespace
}  // namespace tests
