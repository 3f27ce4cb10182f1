#include "server/http/changes_json.h"

#include <optional>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "server/http/object_json.h"

namespace server::http {
namespace {

constexpr std::size_t kPortion = 64 * 1024;

/// nullopt: it is gone meanwhile, which `names` of the next answer tells.
storage::Result<std::optional<boost::json::object>> FolderChanges(storage::MailStore& store,
                                                                  storage::FolderRef folder,
                                                                  storage::ModSeq since) {
  const auto reader = store.Read(folder, storage::Actor({}, storage::Role::kOperator));
  if (!reader && reader.error().code == storage::Errc::kNoSuchFolder) return std::nullopt;
  if (!reader) return tl::unexpected(reader.error());
  const storage::FolderStatus& status = reader->status();

  storage::UidSet changed;
  const storage::UidSet all(storage::Uid{1}, protocol::kMaxUid);
  const auto read =
      reader->States(all, [&](const storage::MessageState& state) { changed.Add(state.uid); }, since);
  if (!read) return tl::unexpected(read.error());
  const auto vanished = reader->VanishedSince(since);
  if (!vanished) return tl::unexpected(vanished.error());

  boost::json::object out;
  out["folder"] = status.path;
  out["kind"] = NameOf(status.kind);
  out["mailboxid"] = MailboxIdOf(folder.folder);
  out["uidvalidity"] = status.uid_validity.value;
  out["uidnext"] = status.uid_next.value;
  out["highestmodseq"] = status.highest_modseq.value;
  out["messages"] = status.messages;
  out["unseen"] = status.unseen;
  out["changed"] = changed.ToString();
  if (*vanished) {
    out["vanished"] = (*vanished)->ToString();
    return out;
  }
  const auto present = reader->Uids();
  if (!present) return tl::unexpected(present.error());
  out["vanished"] = nullptr;
  out["present"] = present->ToString();
  return out;
}

}  // namespace

storage::Result<std::string> ChangesText::Next() {
  std::string text;
  if (!std::exchange(begun_, true)) {
    boost::json::object head;
    head["modseq"] = changes_.modseq.value;
    head["reset"] = changes_.reset;
    head["names"] = changes_.names;
    head["annotations"] = changes_.annotations;
    text = boost::json::serialize(head);
    text.pop_back();
    text += R"(,"folders":[)";
  }
  while (next_folder_ < changes_.folders.size() && text.size() < kPortion) {
    const auto folder = FolderChanges(store_, changes_.folders[next_folder_++].ref, since_);
    if (!folder) return tl::unexpected(folder.error());
    if (!*folder) continue;
    if (!std::exchange(first_, false)) text += ',';
    text += boost::json::serialize(**folder);
  }
  if (next_folder_ == changes_.folders.size()) {
    text += "]}\n";
    done_ = true;
  }
  return text;
}

}  // namespace server::http
