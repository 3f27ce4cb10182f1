#include "storage/store/vanished_steps.h"

#include <utility>
#include <vector>

namespace storage {
namespace {

using kv::Table;
using schema::VanishedKey;
using schema::VanishedRow;

// Rows looked at in one transaction (design.md 5: no batch over about 1,000 keys).
constexpr std::size_t kRowsPerStep = 500;
// Of one row, so that it stays small beside its table's blocks; a day may have several.
constexpr std::size_t kRangesPerRow = 4096;

constexpr std::int64_t kDay = 24 * 60 * 60;

struct Entry {
  VanishedKey key;
  VanishedRow row;
};

/// Decodes for `visit`, which says whether to go on.
template <class Visit>
auto Decoding(Result<>& bad, Visit visit) {
  return [&bad, visit = std::move(visit)](std::string_view key, std::string_view value) mutable {
    const auto at = VanishedKey::Decode(key);
    auto row = VanishedRow::Decode(value);
    if (at && row) return visit(Entry{*at, *std::move(row)});
    bad = tl::unexpected<Error>(at ? row.error() : at.error());
    return false;
  };
}

bool MayJoin(const VanishedRow& row, const VanishedRow& next, VanishedAge age) {
  return next.when < age.join && row.when / kDay == next.when / kDay &&
         row.uids.ranges().size() + next.uids.ranges().size() <= kRangesPerRow;
}

}  // namespace

Result<bool> HasOldVanished(const kv::View& view, FolderRef folder, VanishedAge age) {
  bool found = false;
  std::optional<VanishedRow> last;
  Result<> bad;
  const std::string prefix = schema::FolderKey{folder.account, folder.folder}.Encode();
  RETURN_IF_ERROR(view.Scan(Table::kVanished, prefix, kv::PrefixEnd(prefix), Decoding(bad, [&](Entry entry) {
                              if (entry.row.uids.empty()) return true;
                              found =
                                  entry.row.when <= age.forget || (last && MayJoin(*last, entry.row, age));
                              last = std::move(entry.row);
                              return !found && last->when < age.join;
                            })));
  RETURN_IF_ERROR(bad);
  return found;
}

Result<> TrimVanished(AccountTxn& txn, FolderId folder, VanishedAge age, std::optional<ModSeq>& from) {
  txn.NeedNotSync();
  // Of one that is gone nobody would free what is written here.
  RETURN_IF_ERROR(txn.Account());
  RETURN_IF_ERROR(txn.Folder(folder));
  std::vector<Entry> entries;
  bool more = false;
  Result<> bad;
  const std::string end = kv::PrefixEnd(schema::FolderKey{txn.account(), folder}.Encode());
  RETURN_IF_ERROR(txn.Scan(Table::kVanished, VanishedKey{txn.account(), folder, *from}.Encode(), end,
                           Decoding(bad, [&](Entry entry) {
                             more = entries.size() == kRowsPerStep;
                             if (more || entry.row.when >= age.join) return false;
                             entries.push_back(std::move(entry));
                             return true;
                           })));
  RETURN_IF_ERROR(bad);
  from.reset();
  if (more) from = ModSeq{entries.back().key.modseq.value + 1};

  // What is forgotten are the first rows: a mark among them says up to where.
  auto at = entries.begin();
  while (at != entries.end() && (at->row.uids.empty() || at->row.when <= age.forget)) {
    txn.Erase(Table::kVanished, at->key.Encode());
    ++at;
  }
  if (at != entries.begin())
    txn.Put(Table::kVanished, (at - 1)->key.Encode(), VanishedRow{(at - 1)->row.when, {}}.Encode());

  for (; at != entries.end(); ++at) {
    const auto next = at + 1;
    if (next == entries.end() || !MayJoin(at->row, next->row, age)) continue;
    std::vector<protocol::UidRange> ranges = at->row.uids.ranges();
    ranges.insert(ranges.end(), next->row.uids.ranges().begin(), next->row.uids.ranges().end());
    next->row.uids = UidSet::Of(std::move(ranges));
    txn.Erase(Table::kVanished, at->key.Encode());
    txn.Put(Table::kVanished, next->key.Encode(), next->row.Encode());
  }
  return {};
}

}  // namespace storage
