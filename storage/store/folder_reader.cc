#include "storage/store/folder_reader.h"

#include <algorithm>

#include "storage/schema/rows.h"
#include "storage/schema/state_page.h"
#include "storage/store/body_source.h"
#include "storage/store/core.h"
#include "storage/store/deferred.h"
#include "storage/store/folder_tree.h"
#include "storage/store/guest_seen.h"
#include "storage/store/rights.h"

namespace storage {
namespace {

using kv::Table;
using schema::StatePage;

/// The stretch of pages that holds consecutive ranges of `uids`: each is one scan.
struct PageSpan {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

std::vector<PageSpan> SpansOf(const UidSet& uids) {
  std::vector<PageSpan> spans;
  for (const auto& range : uids.ranges()) {
    const std::uint32_t first = StatePage::PageOf(range.first);
    const std::uint32_t last = StatePage::PageOf(range.last);
    if (!spans.empty() && first <= spans.back().last + 1)
      spans.back().last = std::max(spans.back().last, last);
    else
      spans.push_back({first, last});
  }
  return spans;
}

/// Visits the raw pages of a span, in order.
Result<> ScanPages(const kv::View& view, FolderRef ref, PageSpan span,
                   const std::function<Result<>(std::uint32_t page_no, std::string_view value)>& visit) {
  const std::string begin = schema::StateKey{ref.account, ref.folder, span.first}.Encode();
  if (span.first == span.last) {
    ASSIGN_OR_RETURN(const auto value, view.Get(Table::kStates, begin));
    return value ? visit(span.first, *value) : Result<>();
  }
  const std::string end = schema::StateKey{ref.account, ref.folder, span.last}.Encode() + '\0';
  Result<> bad;
  RETURN_IF_ERROR(view.Scan(Table::kStates, begin, end, [&](std::string_view key, std::string_view value) {
    const auto at = schema::StateKey::Decode(key);
    if (at)
      bad = visit(at->page, value);
    else
      bad = tl::unexpected<Error>(at.error());
    return bad.has_value();
  }));
  return bad;
}

MessageRow ToRow(const schema::StoredMessage& stored) {
  return {.internal_date = stored.internal_date,
          .save_date = stored.save_date,
          .size = stored.size,
          .object = stored.object,
          .object_kind = stored.object_kind,
          .malformed = stored.malformed,
          .expiry = stored.expiry,
          .sent = stored.sent,
          .envelope = stored.envelope,
          .body = stored.body,
          .body_structure = stored.body_structure,
          .parts = stored.parts,
          .ids = stored.ids};
}

}  // namespace

Result<UidSet> FolderReader::Uids() const {
  UidSet out;
  StatePage page;
  RETURN_IF_ERROR(ScanPages(*view_, status_.ref, {0, StatePage::PageOf(protocol::kMaxUid)},
                            [&](std::uint32_t page_no, std::string_view value) -> Result<> {
                              RETURN_IF_ERROR(StatePage::Decode(value, page));
                              page.ForEachRun([&](std::uint32_t first, std::uint32_t length) {
                                out.Add(StatePage::UidAt(page_no, first),
                                        StatePage::UidAt(page_no, first + length - 1));
                              });
                              return {};
                            }));
  return out;
}

std::optional<std::vector<std::uint32_t>> FolderReader::PagesChangedSince(ModSeq since) const {
  if (since.value == 0 || status_.messages < PictureCache::kWorthKeeping) return std::nullopt;
  const auto known = pictures_.Find(status_.ref, status_.highest_modseq);
  if (!known) return std::nullopt;
  std::vector<std::uint32_t> then;
  for (const auto& page : known->picture->pages) {
    if (page.highest > since) then.push_back(page.number);
  }
  std::vector<std::uint32_t> pages;
  std::ranges::set_union(then, known->changed, std::back_inserter(pages));
  return pages;
}

Result<> FolderReader::States(const UidSet& uids, const StateVisitor& visit, ModSeq changed_since) const {
  StatePage page;
  auto range = uids.ranges().begin();
  const auto end = uids.ranges().end();
  const auto take = [&](std::uint32_t page_no, std::string_view value) -> Result<> {
    if (changed_since.value != 0) {
      ASSIGN_OR_RETURN(const ModSeq highest, StatePage::HighestModSeq(value));
      if (highest <= changed_since) return {};
    }
    RETURN_IF_ERROR(StatePage::Decode(value, page));
    std::optional<schema::SeenPage> seen;
    if (viewer_) {
      ASSIGN_OR_RETURN(seen, ReadSeen(*view_, status_.ref, *viewer_, page_no));
    }
    page.ForEach([&](std::uint32_t slot, const StatePage::State& state) {
      const Uid uid = StatePage::UidAt(page_no, slot);
      while (range != end && range->last < uid) ++range;
      if (range == end || uid < range->first || state.modseq <= changed_since.value) return;
      const std::uint32_t system = seen ? WithSeen(state.system, seen->Has(slot)) : state.system;
      visit({uid, {system, state.keywords}, {state.modseq}});
    });
    return {};
  };
  const auto changed = PagesChangedSince(changed_since);
  for (const PageSpan& span : SpansOf(uids)) {
    if (!changed) {
      RETURN_IF_ERROR(ScanPages(*view_, status_.ref, span, take));
      continue;
    }
    for (auto at = std::ranges::lower_bound(*changed, span.first); at != changed->end() && *at <= span.last;
         ++at) {
      ASSIGN_OR_RETURN(const auto value,
                       view_->Get(Table::kStates,
                                  schema::StateKey{status_.ref.account, status_.ref.folder, *at}.Encode()));
      if (value) RETURN_IF_ERROR(take(*at, *value));
    }
  }
  return {};
}

Result<std::optional<UidSet>> FolderReader::VanishedSince(ModSeq since) const {
  const FolderRef ref = status_.ref;
  const std::string begin = schema::FolderKey{ref.account, ref.folder}.Encode();
  const std::string end = kv::PrefixEnd(begin);
  bool forgotten = false;
  std::vector<protocol::UidRange> ranges;
  Result<> bad;
  const auto scan = [&](const std::string& first, const auto& visit) -> Result<> {
    RETURN_IF_ERROR(
        view_->Scan(Table::kVanished, first, end, [&](std::string_view key, std::string_view value) {
          const auto at = schema::VanishedKey::Decode(key);
          const auto row = schema::VanishedRow::Decode(value);
          if (at && row) return visit(at->modseq, *row);
          bad = tl::unexpected<Error>(at ? row.error() : at.error());
          return false;
        }));
    return bad;
  };
  RETURN_IF_ERROR(scan(begin, [&](ModSeq modseq, const schema::VanishedRow& row) {
    forgotten = row.uids.empty() && modseq > since;
    return false;
  }));
  if (forgotten) return std::optional<UidSet>{};
  const std::string first = schema::VanishedKey{ref.account, ref.folder, {since.value + 1}}.Encode();
  RETURN_IF_ERROR(scan(first, [&](ModSeq, const schema::VanishedRow& row) {
    ranges.insert(ranges.end(), row.uids.ranges().begin(), row.uids.ranges().end());
    return true;
  }));
  return std::optional(UidSet::Of(std::move(ranges)));
}

Result<UidSet> FolderReader::Temporary(const UidSet& uids) const {
  UidSet out;
  const std::uint64_t deferred = MarksOf(*keywords_).deferred;
  if (deferred == 0) return out;
  RETURN_IF_ERROR(States(uids, [&](const MessageState& state) {
    if ((state.flags.keywords & deferred) != 0) out.Add(state.uid);
  }));
  return out;
}

Result<> FolderReader::Rows(const UidSet& uids, const RowVisitor& visit) const {
  // Rows of messages that are being freed, or not shown yet, are there too: what counts is presence.
  UidSet present;
  RETURN_IF_ERROR(States(uids, [&](const MessageState& state) { present.Add(state.uid); }));
  bool more = true;
  for (const auto& range : present.ranges()) {
    Result<> bad;
    const auto give = [&](Uid uid, std::string_view value) {
      const auto row = schema::StoredMessage::Decode(value);
      if (!row)
        bad = tl::unexpected<Error>(row.error());
      else
        more = visit(uid, ToRow(*row));
      return more && bad.has_value();
    };
    const std::string first =
        schema::MessageKey{status_.ref.account, status_.ref.folder, range.first}.Encode();
    if (range.first == range.last) {
      ASSIGN_OR_RETURN(const auto value, view_->Get(Table::kMessages, first));
      if (!value) return Fail(Errc::kCorruption, "a message has no row");
      give(range.first, *value);
    } else {
      const std::string end =
          schema::MessageKey{status_.ref.account, status_.ref.folder, range.last}.Encode() + '\0';
      RETURN_IF_ERROR(
          view_->Scan(Table::kMessages, first, end, [&](std::string_view key, std::string_view value) {
            const auto at = schema::MessageKey::Decode(key);
            if (at) return give(at->uid, value);
            bad = tl::unexpected<Error>(at.error());
            return false;
          }));
    }
    RETURN_IF_ERROR(bad);
    if (!more) break;
  }
  return {};
}

std::unique_ptr<protocol::mime::Source> FolderReader::Body(ObjectId object, std::uint64_t size) const {
  return std::make_unique<BodySource>(
      status_.ref.account, object, size,
      [view = view_.get(), &bodies = bodies_](const std::string& key) { return bodies.Get(*view, key); });
}

Result<std::vector<std::optional<std::string>>> FolderReader::ShortBodies(
    const std::vector<ObjectId>& objects) const {
  std::vector<std::string> keys;
  keys.reserve(objects.size());
  for (const ObjectId object : objects)
    keys.push_back(schema::ChunkKey{status_.ref.account, object, 0}.Encode());
  return view_->MultiGet(Table::kBodies, keys);
}

Result<std::string> FolderReader::Octets(ObjectId object, std::uint64_t offset, std::uint64_t length) const {
  std::string out;
  // Far beyond any object, and no sum below overflows.
  constexpr std::uint64_t kBeyond = std::uint64_t{StagedBody::kChunk} << 31;
  if (length == 0 || offset >= kBeyond) return out;
  length = std::min(length, kBeyond - offset);
  const auto first = static_cast<std::uint32_t>(offset / StagedBody::kChunk);
  const auto last = static_cast<std::uint32_t>((offset + length - 1) / StagedBody::kChunk);
  for (std::uint32_t chunk = first; chunk <= last; ++chunk) {
    ASSIGN_OR_RETURN(auto value, view_->Get(Table::kBodies,
                                            schema::ChunkKey{status_.ref.account, object, chunk}.Encode()));
    if (!value) {
      if (chunk == first) return Fail(Errc::kNoSuchMessage, "the object is gone");
      break;
    }
    const std::uint64_t chunk_begin = std::uint64_t{chunk} * StagedBody::kChunk;
    const std::uint64_t from = std::max(offset, chunk_begin) - chunk_begin;
    const std::uint64_t to = std::min<std::uint64_t>(offset + length - chunk_begin, value->size());
    if (from == 0 && to == value->size() && out.empty())
      out = *std::move(value);
    else if (from < to)
      out.append(*value, from, to - from);
  }
  return out;
}

Result<bool> FolderReader::Text(ObjectId object, const std::function<void(const MessageText&)>& visit) const {
  ASSIGN_OR_RETURN(const auto value,
                   view_->Get(Table::kTexts, schema::ObjectKey{status_.ref.account, object}.Encode()));
  if (!value) return false;
  ASSIGN_OR_RETURN(const auto row, schema::TextRow::Decode(*value));
  visit({row.header, row.body, row.truncated});
  return true;
}

Result<FolderReader> MailStore::Read(FolderRef folder, const Actor& actor) {
  RETURN_IF_ERROR(core_->deleted.Check(folder.account));
  auto view = core_->engine.OpenView();
  ASSIGN_OR_RETURN(const auto value,
                   view->Get(Table::kFolders, schema::FolderKey{folder.account, folder.folder}.Encode()));
  if (!value) return Fail(Errc::kNoSuchFolder);
  ASSIGN_OR_RETURN(auto row, schema::FolderRow::Decode(*value));
  ASSIGN_OR_RETURN(const Rights rights, RightsOf(*view, folder, row, actor));
  RETURN_IF_ERROR(Demand(rights, Right::kRead));
  FolderStatus status = ToStatus(folder, row);
  return FolderReader(std::move(view), std::move(status),
                      std::make_shared<const KeywordTable>(std::move(row.keywords)), rights, ViewerOf(actor),
                      core_->pictures, core_->bodies);
}

std::unique_ptr<protocol::mime::Source> MailStore::OpenBody(AccountId account, ObjectId object,
                                                            std::uint64_t size) {
  // A view, so that the octets do not go while they are sent, whoever expunges the message.
  return std::make_unique<BodySource>(
      account, object, size,
      [view = std::shared_ptr<const kv::View>(core_->engine.OpenView()),
       &bodies = core_->bodies](const std::string& key) { return bodies.Get(*view, key); });
}

}  // namespace storage
