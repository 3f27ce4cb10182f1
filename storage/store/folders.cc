#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "protocol/mime/parts.h"
#include "protocol/model/mailbox_name.h"
#include "storage/memory_only.h"
#include "storage/schema/state_page.h"
#include "storage/store/core.h"
#include "storage/store/folder_tree.h"
#include "storage/store/guest_seen.h"
#include "storage/store/rights.h"

namespace storage {
namespace {

using kv::Table;
using schema::StatePage;

constexpr std::string_view kInbox = "INBOX";

}  // namespace

Result<> CheckName(std::string_view path) {
  switch (protocol::CheckMailboxName(path)) {
    case protocol::NameFault::kNone: return {};
    case protocol::NameFault::kEmpty:
    case protocol::NameFault::kEmptyComponent:
      return Fail(Errc::kNotAllowed, "A folder name must not be empty");
    case protocol::NameFault::kTooLong:
      return Fail(Errc::kLimit, fmt::format("A folder name holds at most {} octets, {} between delimiters",
                                            protocol::kMaxNameTotal, protocol::kMaxNameComponent));
    case protocol::NameFault::kControlCharacter:
      return Fail(Errc::kNotAllowed, "A folder name must not hold control characters");
    case protocol::NameFault::kNotUtf8: return Fail(Errc::kNotAllowed, "The folder name is not valid UTF-8");
  }
  return Fail(Errc::kNotAllowed);
}

namespace {

/// Visits the pages of a folder from `first` on, each with its highest mod-sequence.
Result<> ForEachPage(const kv::View& view, FolderRef ref, std::uint32_t first,
                     const std::function<void(std::uint32_t, ModSeq, const StatePage&)>& visit) {
  const std::string begin = schema::StateKey{ref.account, ref.folder, first}.Encode();
  const std::string end = kv::PrefixEnd(schema::FolderKey{ref.account, ref.folder}.Encode());
  Result<> bad;
  StatePage page;
  RETURN_IF_ERROR(view.Scan(Table::kStates, begin, end, [&](std::string_view key, std::string_view value) {
    const auto at = schema::StateKey::Decode(key);
    bad = StatePage::Decode(value, page);
    if (at && bad) visit(at->page, *StatePage::HighestModSeq(value), page);
    return bad.has_value();
  }));
  return bad;
}

Result<schema::FolderRow> RowOf(const kv::View& view, FolderRef ref) {
  ASSIGN_OR_RETURN(const auto value,
                   view.Get(Table::kFolders, schema::FolderKey{ref.account, ref.folder}.Encode()));
  if (!value) return Fail(Errc::kNoSuchFolder);
  return schema::FolderRow::Decode(*value);
}

Result<std::uint32_t> CountRecent(const kv::View& view, FolderRef ref, const schema::FolderRow& row) {
  std::uint32_t recent = 0;
  if (row.recent_from >= row.uid_next || row.messages == 0) return recent;
  RETURN_IF_ERROR(MemoryOnly::MayWait());
  RETURN_IF_ERROR(ForEachPage(view, ref, StatePage::PageOf(row.recent_from),
                              [&](std::uint32_t page_no, ModSeq, const StatePage& page) {
                                page.ForEach([&](std::uint32_t slot, const StatePage::State&) {
                                  if (StatePage::UidAt(page_no, slot) >= row.recent_from) ++recent;
                                });
                              }));
  return recent;
}

/// Of what has \Deleted. Kept in no row: to know what a STORE adds to it, each would read the rows of its
/// messages, and flags are changed more often than anybody asks for this.
Result<std::uint64_t> CountDeletedOctets(const kv::View& view, FolderRef ref, const schema::FolderRow& row) {
  if (row.deleted == 0) return std::uint64_t{0};
  if (row.deleted == row.messages) return row.octets;
  RETURN_IF_ERROR(MemoryOnly::MayWait());
  std::vector<std::string> keys;
  RETURN_IF_ERROR(ForEachPage(view, ref, 0, [&](std::uint32_t page_no, ModSeq, const StatePage& page) {
    page.ForEach([&](std::uint32_t slot, const StatePage::State& state) {
      if ((state.system & protocol::FlagSet::Bit(protocol::SystemFlag::kDeleted)) != 0)
        keys.push_back(schema::MessageKey{ref.account, ref.folder, StatePage::UidAt(page_no, slot)}.Encode());
    });
  }));
  constexpr std::size_t kRowsAGet = 100;
  std::uint64_t octets = 0;
  for (std::size_t i = 0; i < keys.size(); i += kRowsAGet) {
    const auto some = std::span(keys).subspan(i, std::min(kRowsAGet, keys.size() - i));
    ASSIGN_OR_RETURN(const auto values, view.MultiGet(Table::kMessages, some));
    for (const auto& value : values) {
      if (!value) return Fail(Errc::kCorruption, "a message has no row");
      ASSIGN_OR_RETURN(const auto message, schema::StoredMessage::Decode(*value));
      octets += protocol::mime::ServedSize(message.parts, message.size);
    }
  }
  return octets;
}

}  // namespace

Result<> AddCounts(const kv::View& view, const StatusCounts& counts, const schema::FolderRow& row,
                   FolderStatus& status) {
  if (counts.recent) {
    ASSIGN_OR_RETURN(status.recent, CountRecent(view, status.ref, row));
  }
  if (counts.deleted_octets) {
    ASSIGN_OR_RETURN(status.deleted_octets, CountDeletedOctets(view, status.ref, row));
  }
  return {};
}

namespace {

Result<FolderStatus> StatusOf(const kv::View& view, FolderRef ref, const Actor& actor, Right needed,
                              const StatusCounts& counts) {
  ASSIGN_OR_RETURN(const auto row, RowOf(view, ref));
  ASSIGN_OR_RETURN(const Rights rights, RightsOf(view, ref, row, actor));
  RETURN_IF_ERROR(Demand(rights, needed));
  FolderStatus status = ToStatus(ref, row);
  RETURN_IF_ERROR(AddCounts(view, counts, row, status));
  return status;
}

/// Adds what a page holds. Pages come in order.
void AddPage(std::uint32_t page_no, ModSeq highest, const StatePage& page,
             std::vector<FolderPicture::Page>& pages, UidSet& uids) {
  FolderPicture::Page summary{page_no, highest, {}};
  page.ForEachRun([&](std::uint32_t first, std::uint32_t length) {
    uids.Add(StatePage::UidAt(page_no, first), StatePage::UidAt(page_no, first + length - 1));
    for (std::uint32_t slot = first; summary.first_unseen.value == 0 && slot < first + length; ++slot) {
      if ((page.states[slot].system & protocol::FlagSet::Bit(protocol::SystemFlag::kSeen)) == 0)
        summary.first_unseen = StatePage::UidAt(page_no, slot);
    }
  });
  pages.push_back(summary);
}

Result<FolderPicture> ReadPicture(const kv::View& view, FolderRef folder, ModSeq modseq) {
  FolderPicture picture{.modseq = modseq, .uids = {}, .pages = {}};
  RETURN_IF_ERROR(
      ForEachPage(view, folder, 0, [&](std::uint32_t page_no, ModSeq highest, const StatePage& page) {
        AddPage(page_no, highest, page, picture.pages, picture.uids);
      }));
  return picture;
}

/// The picture as it is now, of which only what has changed is read.
Result<FolderPicture> Renew(const kv::View& view, FolderRef folder, ModSeq modseq,
                            const PictureCache::Known& known) {
  const FolderPicture& old = *known.picture;
  FolderPicture picture{.modseq = modseq, .uids = {}, .pages = {}};
  UidSet gone;
  UidSet come;
  picture.pages.reserve(old.pages.size() + known.changed.size());
  auto kept = old.pages.begin();
  StatePage page;
  for (const std::uint32_t page_no : known.changed) {
    for (; kept != old.pages.end() && kept->number < page_no; ++kept) picture.pages.push_back(*kept);
    if (kept != old.pages.end() && kept->number == page_no) ++kept;
    gone.Add(StatePage::UidAt(page_no, 0), StatePage::UidAt(page_no, StatePage::kUids - 1));
    ASSIGN_OR_RETURN(
        const auto value,
        view.Get(Table::kStates, schema::StateKey{folder.account, folder.folder, page_no}.Encode()));
    if (!value) continue;
    RETURN_IF_ERROR(StatePage::Decode(*value, page));
    ASSIGN_OR_RETURN(const ModSeq highest, StatePage::HighestModSeq(*value));
    AddPage(page_no, highest, page, picture.pages, come);
  }
  picture.pages.insert(picture.pages.end(), kept, old.pages.end());
  auto ranges = old.uids.Minus(gone).ranges();
  ranges.insert(ranges.end(), come.ranges().begin(), come.ranges().end());
  picture.uids = UidSet::Of(std::move(ranges));
  return picture;
}

/// Of a guest, until `visit` is given one that is to be the last.
Result<> ForEachUnseen(const kv::View& view, FolderRef folder, AccountId viewer,
                       const std::function<bool(Uid)>& visit) {
  Result<> bad;
  bool more = true;
  RETURN_IF_ERROR(MemoryOnly::MayWait());
  RETURN_IF_ERROR(ForEachPage(view, folder, 0, [&](std::uint32_t page_no, ModSeq, const StatePage& page) {
    if (!more || !bad) return;
    const auto seen = ReadSeen(view, folder, viewer, page_no);
    if (!seen) {
      bad = tl::unexpected<Error>(seen.error());
      return;
    }
    page.ForEach([&](std::uint32_t slot, const StatePage::State&) {
      if (more && !seen->Has(slot)) more = visit(StatePage::UidAt(page_no, slot));
    });
  }));
  return bad;
}

Result<std::optional<Uid>> FirstUnseenBy(const kv::View& view, FolderRef folder, AccountId viewer) {
  std::optional<Uid> first;
  RETURN_IF_ERROR(ForEachUnseen(view, folder, viewer, [&](Uid uid) {
    first = uid;
    return false;
  }));
  return first;
}

/// The picture of a folder but for `status.recent`.
Result<> LookAt(const kv::View& view, FolderRef folder, PictureCache& cache, const Actor& actor,
                OpenedFolder& out) {
  ASSIGN_OR_RETURN(auto row, RowOf(view, folder));
  ASSIGN_OR_RETURN(out.rights, RightsOf(view, folder, row, actor));
  RETURN_IF_ERROR(Demand(out.rights, Right::kRead));
  out.status = ToStatus(folder, row);
  out.recent_from = row.recent_from;
  out.keywords = std::make_shared<const KeywordTable>(std::move(row.keywords));
  const auto viewer = ViewerOf(actor);
  const bool large = row.messages >= PictureCache::kWorthKeeping;
  const auto known = large ? cache.Find(folder, row.highest_modseq) : std::nullopt;
  if (known && known->picture->modseq == row.highest_modseq) {
    out.uids = known->picture->uids;
    out.first_unseen = known->picture->FirstUnseen();
    if (viewer) {
      ASSIGN_OR_RETURN(out.first_unseen, FirstUnseenBy(view, folder, *viewer));
    }
    return {};
  }
  ASSIGN_OR_RETURN(auto picture, known ? Renew(view, folder, row.highest_modseq, *known)
                                       : ReadPicture(view, folder, row.highest_modseq));
  out.uids = picture.uids;
  out.first_unseen = picture.FirstUnseen();
  if (viewer) {
    ASSIGN_OR_RETURN(out.first_unseen, FirstUnseenBy(view, folder, *viewer));
  }
  if (large) cache.Keep(folder, std::move(picture));
  return {};
}

}  // namespace

Result<FolderStatus> MailStore::CreateFolder(AccountId account, std::string_view path,
                                             protocol::SpecialUse use, Actor actor) {
  RETURN_IF_ERROR(CheckName(path));
  FolderId id;
  std::vector<schema::IntentKey> left;
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(id, FolderTree(txn, core_->options, actor).Create(path, use));
    left = txn.left();
    return {};
  }));
  // Whoever may see its superior, and so made it perhaps, finds it from now on. The janitor tries again.
  for (const auto& intent : left) {
    if (intent.kind == schema::IntentKind::kGrants) static_cast<void>(core_->grants.Settle(intent));
  }
  return GetFolder(FolderRef{account, id});
}

Result<> MailStore::DeleteFolder(AccountId account, std::string_view path, Actor actor) {
  std::vector<FolderId> dropped;
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(dropped, FolderTree(txn, core_->options, actor).Delete(path));
    return {};
  }));
  for (const FolderId folder : dropped)
    core_->janitor.Add({account, schema::IntentKind::kDropFolder, folder.value});
  return {};
}

Result<> MailStore::RenameFolder(AccountId account, std::string_view from, std::string_view to, Actor actor) {
  RETURN_IF_ERROR(CheckName(to));
  if (from == kInbox) return RenameInbox(*core_, account, to, actor);
  return core_->lanes.Run(
      account, [&](AccountTxn& txn) { return FolderTree(txn, core_->options, actor).Rename(from, to); });
}

Result<std::vector<FolderEntry>> MailStore::ListFolders(AccountId account) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  std::vector<FolderEntry> out;
  Result<> bad;
  const std::string prefix = schema::AccountPrefix(account);
  const auto view = core_->engine.OpenView();
  RETURN_IF_ERROR(view->Scan(
      Table::kFolderNames, prefix, kv::PrefixEnd(prefix), [&](std::string_view key, std::string_view value) {
        auto path = schema::PathKey::Decode(key);
        const auto row = schema::FolderNameRow::Decode(value);
        if (!path || !row) {
          bad = Fail(Errc::kCorruption, "folder name does not decode");
          return false;
        }
        out.push_back({std::move(path->path), row->folder, static_cast<FolderKind>(row->kind), row->use});
        return true;
      }));
  RETURN_IF_ERROR(bad);
  return out;
}

Result<FolderStatus> MailStore::GetFolder(AccountId account, std::string_view path, const Actor& actor,
                                          Right needed, const StatusCounts& counts) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  if (!schema::PathKey::IsPath(path)) return Fail(Errc::kNoSuchFolder);
  const auto view = core_->engine.OpenView();
  ASSIGN_OR_RETURN(const auto value,
                   view->Get(Table::kFolderNames, schema::PathKey{account, std::string(path)}.Encode()));
  if (!value) return Fail(Errc::kNoSuchFolder);
  ASSIGN_OR_RETURN(const auto name, schema::FolderNameRow::Decode(*value));
  if (name.folder.value == 0) return Fail(Errc::kNoSuchFolder);
  return StatusOf(*view, {account, name.folder}, actor, needed, counts);
}

Result<FolderStatus> MailStore::GetFolder(FolderRef folder, const StatusCounts& counts) {
  RETURN_IF_ERROR(core_->deleted.Check(folder.account));
  // Of one who has found it, and may have lost the right to look at it since.
  return StatusOf(*core_->engine.OpenView(), folder, Actor({}, Role::kOperator), Right::kRead, counts);
}

Result<FolderStatus> MailStore::GetFolderFor(FolderRef folder, AccountId guest, const StatusCounts& counts) {
  RETURN_IF_ERROR(core_->deleted.Check(folder.account));
  const auto view = core_->engine.OpenView();
  ASSIGN_OR_RETURN(auto status, StatusOf(*view, folder, Actor({}, Role::kOperator), Right::kRead, counts));
  status.unseen = 0;
  RETURN_IF_ERROR(ForEachUnseen(*view, folder, guest, [&](Uid) {
    ++status.unseen;
    return true;
  }));
  return status;
}

Result<OpenedFolder> MailStore::OpenFolder(FolderRef folder, bool claim_recent, const Actor& actor) {
  RETURN_IF_ERROR(core_->deleted.Check(folder.account));
  OpenedFolder out;
  RETURN_IF_ERROR(LookAt(*core_->engine.OpenView(), folder, core_->pictures, actor, out));
  // To them the mailbox is read-only, so it stays as it is.
  claim_recent = claim_recent && out.rights.HasAny(kAnyForReadWrite);
  const Uid seen = out.status.uid_next;
  if (claim_recent && out.recent_from < seen) {
    // Claimed in the lane, so that of two sessions only one sees a message as \Recent (RFC 3501 §2.3.2); and
    // only what has been seen, so that each message is \Recent to somebody.
    const auto claimed = core_->lanes.Run(folder.account, [&](AccountTxn& txn) -> Result<> {
      txn.NeedNotSync();
      ASSIGN_OR_RETURN(auto row, txn.Folder(folder.folder));
      out.recent_from = row.recent_from;
      if (row.recent_from >= seen) return {};
      row.recent_from = seen;
      txn.PutFolder(folder.folder, row);
      return {};
    });
    // A full disk must not keep anyone from reading; the messages stay \Recent for the next one.
    if (!claimed && claimed.error().code != Errc::kUnavailable) return tl::unexpected<Error>(claimed.error());
  }
  for (const auto& range : out.uids.ranges()) {
    if (range.last >= out.recent_from)
      out.status.recent += range.last.value - std::max(range.first, out.recent_from).value + 1;
  }
  return out;
}

namespace {

/// Rows of accounts that were made before they counted; from the first change on the account's row has it.
Result<std::uint32_t> CountSubscriptions(const AccountTxn& txn) {
  std::uint32_t count = 0;
  const std::string prefix = schema::AccountPrefix(txn.account());
  RETURN_IF_ERROR(txn.Scan(Table::kSubscriptions, prefix, kv::PrefixEnd(prefix),
                           [&](auto, auto) { return ++count != 0; }));
  return count;
}

Result<> SetSubscribed(MailStore::Core& core, AccountId account, std::string_view path, bool subscribed,
                       Actor actor) {
  return core.lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(auto row, txn.Account());
    const std::string key = schema::PathKey{account, std::string(path)}.Encode();
    ASSIGN_OR_RETURN(const auto present, txn.Get(Table::kSubscriptions, key));
    if (present.has_value() == subscribed) return {};
    RETURN_IF_ERROR(txn.NextModSeq());
    if (!row.subscriptions) {
      ASSIGN_OR_RETURN(row.subscriptions, CountSubscriptions(txn));
    }
    if (subscribed) {
      // Subscribed names need not exist, so the bound of the folders does not bound them.
      const std::uint32_t limit = core.options.max_folders;
      if (*row.subscriptions >= limit) {
        return Fail(Errc::kLimit,
                    fmt::format("An account holds at most {} subscriptions; end some first", limit));
      }
      ++*row.subscriptions;
      txn.Put(Table::kSubscriptions, key, schema::MarkerRow());
    } else {
      --*row.subscriptions;
      txn.Erase(Table::kSubscriptions, key);
    }
    txn.PutAccount(std::move(row));
    txn.Announce(actor.origin, SubscriptionChanged{std::string(path), subscribed});
    return {};
  });
}

}  // namespace

Result<> MailStore::Subscribe(AccountId account, std::string_view path, Actor actor) {
  RETURN_IF_ERROR(CheckName(path));
  return SetSubscribed(*core_, account, path, /*subscribed=*/true, actor);
}

Result<> MailStore::Unsubscribe(AccountId account, std::string_view path, Actor actor) {
  if (!schema::PathKey::IsPath(path)) return {};
  return SetSubscribed(*core_, account, path, /*subscribed=*/false, actor);
}

Result<std::vector<std::string>> MailStore::ListSubscriptions(AccountId account) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  std::vector<std::string> out;
  Result<> bad;
  const std::string prefix = schema::AccountPrefix(account);
  const auto view = core_->engine.OpenView();
  RETURN_IF_ERROR(view->Scan(Table::kSubscriptions, prefix, kv::PrefixEnd(prefix),
                             [&](std::string_view key, std::string_view) {
                               auto path = schema::PathKey::Decode(key);
                               if (!path) {
                                 bad = tl::unexpected<Error>(path.error());
                                 return false;
                               }
                               out.push_back(std::move(path->path));
                               return true;
                             }));
  RETURN_IF_ERROR(bad);
  return out;
}

}  // namespace storage
