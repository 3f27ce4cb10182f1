#include "server/http/object_page.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "protocol/cpm/object_view.h"
#include "protocol/mime/parts.h"
#include "server/http/object_json.h"

namespace server::http {
namespace {

constexpr std::size_t kPageOctets = 1 << 20;

/// A row, without views that end with the visit.
struct Row {
  StoredObject stored;
  storage::ObjectId object;
  std::string parts;
};

/// Roughly what an object's JSON takes.
std::size_t Weight(const protocol::cpm::ObjectView& view) {
  return 1024 + view.text.utf8.size() + view.files.size() * 256 +
         (view.group ? view.group->participants.size() * 128 : 0);
}

}  // namespace

storage::Result<ObjectPage> ReadObjectPage(storage::MailStore& store, storage::FolderRef folder,
                                           const storage::UidSet& which, std::size_t most) {
  const auto reader = store.Read(folder, storage::Actor({}, storage::Role::kOperator));
  if (!reader) return tl::unexpected(reader.error());

  ObjectPage page;
  std::vector<Row> rows;
  const auto take = [&](storage::Uid uid, const storage::MessageRow& row) {
    if (rows.size() == most) {
      page.next = uid;
      return false;
    }
    rows.push_back({{reader->status().path, uid.value, row.size, row.internal_date, {}},
                    row.object,
                    std::string(row.parts)});
    return true;
  };
  if (auto done = reader->Rows(which, take); !done) return tl::unexpected(std::move(done).error());
  if (rows.empty()) return page;

  const storage::UidSet taken(storage::Uid{rows.front().stored.uid}, storage::Uid{rows.back().stored.uid});
  auto row = rows.begin();
  const auto note = [&](const storage::MessageState& state) {
    while (row != rows.end() && row->stored.uid < state.uid.value) ++row;
    if (row != rows.end() && row->stored.uid == state.uid.value)
      row->stored.flags = ToFlagSet(state.flags, *reader->keywords());
  };
  if (auto done = reader->States(taken, note); !done) return tl::unexpected(std::move(done).error());

  std::size_t weight = 0;
  for (const auto& one : rows) {
    if (weight > kPageOctets) {
      page.next = storage::Uid{one.stored.uid};
      break;
    }
    const auto source = reader->Body(one.object, one.stored.size);
    const auto parts = protocol::mime::DecodeParts(one.parts);
    if (!parts) return tl::unexpected(storage::Error{storage::Errc::kCorruption, parts.error().detail});
    const auto view = protocol::cpm::ReadObjectView(*parts, *source);
    weight += Weight(view);
    page.objects.push_back(ToJson(one.stored, view));
  }
  return page;
}

storage::Result<KindPage> ReadKindPage(storage::MailStore& store, storage::AccountId account,
                                       protocol::ObjectKind kind, storage::FoundMessage from,
                                       std::optional<storage::FolderId> only, std::size_t most) {
  auto found = store.FindByKind(account, kind, from, only, most + 1);
  if (!found) return tl::unexpected(std::move(found).error());

  KindPage page;
  if (found->size() > most) {
    page.next = found->back();
    found->pop_back();
  }
  for (auto one = found->begin(); one != found->end();) {
    const storage::FolderId folder = one->folder;
    storage::UidSet uids;
    for (; one != found->end() && one->folder == folder; ++one) uids.Add(one->uid);
    auto part = ReadObjectPage(store, {account, folder}, uids, most);
    if (!part && part.error().code == storage::Errc::kNoSuchFolder) continue;
    if (!part) return tl::unexpected(std::move(part).error());
    std::ranges::move(part->objects, std::back_inserter(page.objects));
    if (part->next) {  // heavy ones
      page.next = storage::FoundMessage{folder, *part->next};
      break;
    }
  }
  return page;
}

}  // namespace server::http
