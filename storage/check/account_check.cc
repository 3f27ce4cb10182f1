#include "storage/check/account_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "protocol/mime/mask_nul.h"
#include "protocol/mime/parts.h"
#include "protocol/model/flags.h"
#include "protocol/model/mailbox_name.h"
#include "protocol/model/metadata_entry.h"
#include "storage/schema/references.h"
#include "storage/schema/seen_page.h"
#include "storage/schema/state_page.h"
#include "storage/schema/url_keys.h"
#include "storage/store/account.h"
#include "storage/store/deferred.h"
#include "storage/store/message.h"
#include "storage/store/model_rules.h"
#include "storage/store/reference.h"
#include "storage/store/rights.h"

namespace storage::check {

using kv::Table;
using protocol::FlagSet;
using protocol::SystemFlag;
using schema::FolderId;
using schema::StatePage;
using schema::Uid;

void AccountCheck::Report(int invariant, std::string text) {
  if (++reported_ > options_.max_violations) return;
  report_.violations.push_back({invariant, fmt::format("account {}: {}", account_.value, text)});
}

AccountCheck::Folder* AccountCheck::Find(FolderId folder) {
  const auto at = folders_.find(folder.value);
  return at == folders_.end() ? nullptr : &at->second;
}

bool AccountCheck::BeingFreed(FolderId folder, Uid uid) const {
  if (dropped_folders_.contains(folder.value)) return true;
  return std::any_of(purges_.begin(), purges_.end(),
                     [&](const auto& purge) { return purge.folder == folder && purge.uids.Contains(uid); });
}

template <class Key, class F>
Result<> AccountCheck::ForEach(Table table, F&& visit) {
  const std::string prefix = schema::AccountPrefix(account_);
  return view_.Scan(table, prefix, kv::PrefixEnd(prefix), [&](std::string_view key, std::string_view value) {
    const auto decoded = Key::Decode(key);
    if (decoded)
      visit(*decoded, value);
    else
      Report(1, fmt::format("a key in {} does not decode", kv::Name(table)));
    return true;
  });
}

Result<> AccountCheck::Run() {
  ASSIGN_OR_RETURN(const auto value, view_.Get(Table::kAccounts, schema::AccountKey{account_}.Encode()));
  if (!value) {
    Report(2, "rows without an account row");
    return {};
  }
  auto row = schema::AccountRow::Decode(*value);
  if (!row) {
    Report(1, row.error().detail);
    return {};
  }
  row_ = *std::move(row);
  ++report_.accounts;
  if (row_->marks && std::max(row_->marks->names, row_->marks->annotations) > row_->modseq)
    Report(9, "names or annotations changed after the account's last change");
  // An account that is being deleted has lost some of its rows already.
  if (row_->status == static_cast<std::uint8_t>(AccountStatus::kDeleting)) return {};

  RETURN_IF_ERROR(Intents());
  RETURN_IF_ERROR(Folders());
  RETURN_IF_ERROR(Names());
  RETURN_IF_ERROR(States());
  RETURN_IF_ERROR(Messages());
  RETURN_IF_ERROR(Ids());
  RETURN_IF_ERROR(BodyRefs());
  RETURN_IF_ERROR(Bodies());
  RETURN_IF_ERROR(Texts());
  RETURN_IF_ERROR(Vanished());
  RETURN_IF_ERROR(References());
  RETURN_IF_ERROR(Expiries());
  RETURN_IF_ERROR(Subscriptions());
  RETURN_IF_ERROR(Annotations());
  RETURN_IF_ERROR(Acls());
  RETURN_IF_ERROR(UrlKeys());
  RETURN_IF_ERROR(Seen());
  Sums();
  return {};
}

Result<> AccountCheck::Intents() {
  return ForEach<schema::IntentKey>(
      Table::kIntents, [&](const schema::IntentKey& key, std::string_view value) {
        ++report_.intents;
        switch (key.kind) {
          case schema::IntentKind::kStagedObject: staged_.insert(key.id); return;
          case schema::IntentKind::kDropFolder: dropped_folders_.insert(key.id); return;
          case schema::IntentKind::kDropAccount: return;
          case schema::IntentKind::kGrants: {
            auto grants = schema::GrantsRow::Decode(value);
            if (grants)
              unsettled_.emplace(key.id, std::move(grants->identifiers));
            else
              Report(1, grants.error().detail);
            return;
          }
          case schema::IntentKind::kPurge: {
            auto purge = schema::PurgeRow::Decode(value);
            if (purge)
              purges_.push_back(*std::move(purge));
            else
              Report(1, purge.error().detail);
            return;
          }
        }
        Report(1, fmt::format("an intent of unknown kind {}", static_cast<int>(key.kind)));
      });
}

Result<> AccountCheck::Folders() {
  std::set<std::uint32_t> validities;
  return ForEach<schema::FolderKey>(
      Table::kFolders, [&](const schema::FolderKey& key, std::string_view value) {
        auto row = schema::FolderRow::Decode(value);
        if (!row) return Report(1, row.error().detail);
        const auto name = fmt::format("folder {} \"{}\"", key.folder.value, row->path);
        if (key.folder.value == 0 || key.folder.value >= row_->next_folder)
          Report(5, fmt::format("{}: id is not below next_folder", name));
        if (row->uid_validity.value >= row_->next_uid_validity ||
            !validities.insert(row->uid_validity.value).second) {
          Report(5, fmt::format("{}: UIDVALIDITY {} is repeated or not below the counter", name,
                                row->uid_validity.value));
        }
        if (row->highest_modseq > row_->modseq)
          Report(9, fmt::format("{}: HIGHESTMODSEQ is above the account's", name));
        if (row->recent_from > row->uid_next)
          Report(5, fmt::format("{}: recent_from is above UIDNEXT", name));
        if (row->keywords.size() > kMaxKeywords) Report(10, fmt::format("{}: too many keywords", name));
        if (dropped_folders_.contains(key.folder.value))
          Report(4, fmt::format("{} is both there and being dropped", name));
        folders_[key.folder.value].row = *std::move(row);
        ++report_.folders;
      });
}

Result<> AccountCheck::Names() {
  std::map<std::string, std::uint8_t> names;  // and their kinds
  std::vector<std::string> only_inferiors;
  RETURN_IF_ERROR(
      ForEach<schema::PathKey>(Table::kFolderNames, [&](const schema::PathKey& key, std::string_view value) {
        const auto row = schema::FolderNameRow::Decode(value);
        if (!row) return Report(1, row.error().detail);
        names.emplace(key.path, row->kind);
        const auto parent = protocol::ParentName(key.path);
        if (!parent.empty() && !names.contains(std::string(parent)))
          Report(4, fmt::format("name \"{}\" has no superior", key.path));
        if (row->folder.value == 0) return only_inferiors.push_back(key.path);
        Folder* folder = Find(row->folder);
        if (folder == nullptr)
          return Report(4, fmt::format("name \"{}\" stands for a folder that is not there", key.path));
        if (folder->row.path != key.path || folder->row.kind != row->kind || folder->row.use != row->use ||
            folder->named) {
          Report(4, fmt::format("name \"{}\" and its folder's row disagree", key.path));
        }
        folder->named = true;
      }));
  for (const auto& path : only_inferiors) {
    const auto next = names.lower_bound(path + "/");
    if (next == names.end() || !next->first.starts_with(path + "/"))
      Report(4, fmt::format("name \"{}\" has neither folder nor inferiors", path));
  }
  for (const auto& [id, folder] : folders_) {
    if (!folder.named) Report(4, fmt::format("folder {} \"{}\" has no name row", id, folder.row.path));
  }
  if (!names.contains("INBOX")) Report(4, "there is no INBOX");
  if (kinds_) Kinds(names);
  return {};
}

void AccountCheck::Kinds(const std::map<std::string, std::uint8_t>& names) {
  int defaults = 0;
  int roots = 0;
  for (const auto& [path, stored] : names) {
    if (stored > static_cast<std::uint8_t>(FolderKind::kRoot)) {
      Report(20, fmt::format("folder \"{}\" has unknown kind {}", path, stored));
      continue;
    }
    const auto kind = static_cast<FolderKind>(stored);
    defaults += kind == FolderKind::kDefault ? 1 : 0;
    roots += kind == FolderKind::kRoot ? 1 : 0;
    if ((kind == FolderKind::kInbox) != (path == "INBOX"))
      Report(20, fmt::format("folder \"{}\" has INBOX's kind, or INBOX another", path));
    const auto superior = names.find(std::string(protocol::ParentName(path)));
    const auto above =
        superior == names.end() ? FolderKind::kUser : static_cast<FolderKind>(superior->second);
    if (!model::MayHold(above, kind)) {
      Report(20, fmt::format("folder \"{}\" of kind {} lies in one of kind {}", path, stored,
                             static_cast<int>(above)));
    }
  }
  if (defaults > 1 || (defaults == 0 && options_.default_folder))
    Report(20, fmt::format("there are {} default folders", defaults));
  if (roots > 1) Report(20, fmt::format("there are {} permanent roots", roots));
}

Result<> AccountCheck::States() {
  return ForEach<schema::StateKey>(
      Table::kStates, [&](const schema::StateKey& key, std::string_view value) { StatePageRow(key, value); });
}

void AccountCheck::StatePageRow(const schema::StateKey& key, std::string_view value) {
  if (dropped_folders_.contains(key.folder.value)) return;
  Folder* folder = Find(key.folder);
  const auto name = fmt::format("state page {} of folder {}", key.page, key.folder.value);
  if (folder == nullptr) return Report(6, fmt::format("{}: no such folder", name));
  StatePage page;
  if (const auto decoded = StatePage::Decode(value, page); !decoded)
    return Report(1, fmt::format("{}: {}", name, decoded.error().detail));
  if (page.Empty()) Report(6, fmt::format("{} is empty", name));
  std::uint64_t highest = 0;
  const std::uint64_t deferred = MarksOf(folder->row.keywords).deferred;
  page.ForEach([&](std::uint32_t slot, const StatePage::State& state) {
    const Uid uid = StatePage::UidAt(key.page, slot);
    if (uid.value == 0 || uid >= folder->row.uid_next)
      Report(5, fmt::format("{}: UID {} is not below UIDNEXT", name, uid.value));
    folder->present.Add(uid);
    if ((state.keywords & deferred) != 0) folder->temporary.Add(uid);
    ++folder->messages;
    if ((state.system & FlagSet::Bit(SystemFlag::kSeen)) == 0) ++folder->unseen;
    if ((state.system & FlagSet::Bit(SystemFlag::kDeleted)) != 0) ++folder->deleted;
    const auto known = folder->row.keywords.size();
    if (known < 64 && (state.keywords >> known) != 0)
      Report(10, fmt::format("{}: UID {} has a keyword without a name", name, uid.value));
    if (state.modseq == 0) Report(9, fmt::format("{}: UID {} has modseq 0", name, uid.value));
    highest = std::max(highest, state.modseq);
  });
  if (highest > folder->row.highest_modseq.value)
    Report(9, fmt::format("{}: modseq {} is above HIGHESTMODSEQ", name, highest));
  const auto said = StatePage::HighestModSeq(value);
  if (said && said->value != highest)
    Report(9, fmt::format("{}: says highest modseq {}, has {}", name, said->value, highest));
}

Result<> AccountCheck::Messages() {
  RETURN_IF_ERROR(ForEach<schema::MessageKey>(
      Table::kMessages,
      [&](const schema::MessageKey& key, std::string_view value) { MessageRow(key, value); }));
  for (const auto& [id, folder] : folders_) {
    // MessageRow took away each UID that has its row.
    if (!folder.present.empty())
      Report(8, fmt::format("folder {}: UIDs {} have no message row", id, folder.present.ToString()));
  }
  return {};
}

void AccountCheck::MessageRow(const schema::MessageKey& key, std::string_view value) {
  const auto name = fmt::format("message {} of folder {}", key.uid.value, key.folder.value);
  const auto row = schema::StoredMessage::Decode(value);
  if (!row) return Report(1, fmt::format("{}: {}", name, row.error().detail));
  ++report_.messages;
  Folder* folder = Find(key.folder);
  if (folder != nullptr && folder->present.Contains(key.uid)) {
    folder->octets += protocol::mime::ServedSize(row->parts, row->size);
    folder->present.Remove(key.uid);
    folder->rows.Add(key.uid);
  } else if (!BeingFreed(key.folder, key.uid)) {
    Report(8, fmt::format("{} has a row, but is not present", name));
  }
  if (row->expiry != 0) {
    possible_expiries_.insert(
        schema::ExpiryKey{account_, schema::ExpiryKind::kDeferred, row->expiry, key.folder, key.uid.value}
            .Encode());
  } else if (folder != nullptr && folder->temporary.Contains(key.uid)) {
    Report(19, fmt::format("{} is temporary, but has no expiry", name));
  }
  if (row->object.value == 0 || row->object.value >= next_object_)
    Report(16, fmt::format("{}: object id is not below the counter", name));
  auto [at, fresh] = objects_.try_emplace(row->object.value);
  if (fresh)
    at->second.size = row->size;
  else if (at->second.size != row->size)
    Report(11, fmt::format("{}: size differs from that of another message of object {}", name,
                           row->object.value));
  ++at->second.uses;
  at->second.no_nul = at->second.no_nul || protocol::mime::NulOf(row->parts) == protocol::mime::Nul::kNone;
  if (!protocol::mime::DecodeParts(row->parts) || !protocol::mime::DecodeServed(row->parts))
    Report(1, fmt::format("{}: its part tree does not decode", name));
  auto ids = schema::IdKeysOf(account_, key.folder, key.uid, *row);
  if (!ids) return Report(1, fmt::format("{}: {}", name, ids.error().detail));
  for (auto& id : *ids) expected_ids_.insert(std::move(id));
}

Result<> AccountCheck::Ids() {
  RETURN_IF_ERROR(ForEach<schema::IdKey>(Table::kIds, [&](const schema::IdKey& key, std::string_view) {
    if (expected_ids_.erase(key.Encode()) == 0) {
      Report(14, fmt::format("an id row of message {} of folder {} has no such message", key.uid.value,
                             key.folder.value));
    }
  }));
  for (const auto& encoded : expected_ids_) {
    if (const auto key = schema::IdKey::Decode(encoded)) {
      Report(14, fmt::format("message {} of folder {}: an id of kind {} has no row", key->uid.value,
                             key->folder.value, static_cast<int>(key->kind)));
    }
  }
  return {};
}

Result<> AccountCheck::BodyRefs() {
  RETURN_IF_ERROR(
      ForEach<schema::ObjectKey>(Table::kBodyRefs, [&](const schema::ObjectKey& key, std::string_view value) {
        const auto row = schema::BodyRefRow::Decode(value);
        if (!row) return Report(1, row.error().detail);
        const auto at = objects_.find(key.object.value);
        if (at == objects_.end())
          return Report(11, fmt::format("object {} is counted but nobody uses it", key.object.value));
        at->second.refs = row->count;
      }));
  for (const auto& [id, object] : objects_) {
    if (object.refs != object.uses)
      Report(11, fmt::format("object {} is counted {} times, used {} times", id, object.refs, object.uses));
  }
  return {};
}

Result<> AccountCheck::Bodies() {
  if (!options_.bodies) return {};
  RETURN_IF_ERROR(ForEach<schema::ChunkKey>(Table::kBodies, [&](const schema::ChunkKey& key,
                                                                std::string_view value) {
    const auto at = objects_.find(key.object.value);
    if (at == objects_.end()) {
      if (!staged_.contains(key.object.value))
        Report(12, fmt::format("chunk {} of object {} belongs to no message", key.chunk, key.object.value));
      return;
    }
    Object& object = at->second;
    const std::uint64_t begin = std::uint64_t{key.chunk} * StagedBody::kChunk;
    const std::uint64_t expected =
        begin < object.size ? std::min<std::uint64_t>(StagedBody::kChunk, object.size - begin) : 0;
    if (value.size() != expected)
      Report(12, fmt::format("chunk {} of object {} has {} octets, not {}", key.chunk, key.object.value,
                             value.size(), expected));
    ++object.chunks;
    object.octets += value.size();
    if (object.no_nul && protocol::mime::HoldsNul(value))
      Report(12, fmt::format("chunk {} of object {} holds NUL, of which there is none", key.chunk,
                             key.object.value));
  }));
  for (const auto& [id, object] : objects_) {
    if (object.octets != object.size)
      Report(12, fmt::format("object {} has {} octets of {}", id, object.octets, object.size));
    if (staged_.contains(id)) Report(12, fmt::format("object {} is in use, and listed as staged", id));
  }
  return {};
}

Result<> AccountCheck::Texts() {
  RETURN_IF_ERROR(
      ForEach<schema::ObjectKey>(Table::kTexts, [&](const schema::ObjectKey& key, std::string_view value) {
        if (const auto row = schema::TextRow::Decode(value); !row) Report(1, row.error().detail);
        const auto at = objects_.find(key.object.value);
        if (at == objects_.end())
          Report(13, fmt::format("text of object {} belongs to no message", key.object.value));
        else
          at->second.text = true;
      }));
  for (const auto& [id, object] : objects_) {
    if (!object.text) Report(13, fmt::format("object {} has no text row", id));
  }
  return {};
}

Result<> AccountCheck::Vanished() {
  FolderId previous;
  return ForEach<schema::VanishedKey>(
      Table::kVanished, [&](const schema::VanishedKey& key, std::string_view value) {
        if (dropped_folders_.contains(key.folder.value)) return;
        const auto row = schema::VanishedRow::Decode(value);
        const auto name = fmt::format("vanished row {} of folder {}", key.modseq.value, key.folder.value);
        if (!row) return Report(1, fmt::format("{}: {}", name, row.error().detail));
        const Folder* folder = Find(key.folder);
        if (folder == nullptr) return Report(15, fmt::format("{}: no such folder", name));
        if (key.modseq > folder->row.highest_modseq)
          Report(15, fmt::format("{} is above HIGHESTMODSEQ", name));
        if (row->uids.empty() && previous == key.folder)
          Report(15, fmt::format("{} has no UIDs, but is not its folder's first", name));
        if (!row->uids.empty() && row->uids.back() >= folder->row.uid_next)
          Report(15, fmt::format("{}: UIDs are not below UIDNEXT", name));
        previous = key.folder;
      });
}

Result<> AccountCheck::Expiries() {
  RETURN_IF_ERROR(ForEach<schema::ExpiryKey>(
      Table::kExpiries,
      [&](const schema::ExpiryKey& key, std::string_view value) { ExpiryRow(key, value); }));
  for (const auto& [id, folder] : folders_) {
    // ExpiryRow took away each that has its row.
    if (!folder.temporary.empty())
      Report(19,
             fmt::format("folder {}: temporary UIDs {} have no expiry row", id, folder.temporary.ToString()));
  }
  if (!reference_expiries_.empty())
    Report(24, fmt::format("{} references have no expiry row", reference_expiries_.size()));
  return {};
}

void AccountCheck::ExpiryRow(const schema::ExpiryKey& key, std::string_view value) {
  const auto name = fmt::format("expiry row {} of folder {}", key.id, key.folder.value);
  Folder* folder = Find(key.folder);
  if (key.kind == schema::ExpiryKind::kDeferred) {
    if (!possible_expiries_.contains(key.Encode()))
      return Report(19, fmt::format("{}: there is no message with this expiry", name));
    if (folder != nullptr) folder->temporary.Remove(schema::Uid{static_cast<std::uint32_t>(key.id)});
    return;
  }
  if (key.kind == schema::ExpiryKind::kReference) {
    if (reference_expiries_.erase(key.Encode()) == 0)
      Report(24, fmt::format("{}: there is no reference with this expiry", name));
    return;
  }
  const auto row = schema::UidsRow::Decode(value);
  if (!row) return Report(1, fmt::format("{}: {}", name, row.error().detail));
  // Of a folder that is gone it waits for its time.
  if (key.folder.value >= row_->next_folder) return Report(19, fmt::format("{}: no such folder", name));
  if (folder != nullptr && (row->uids.empty() || row->uids.back() >= folder->row.uid_next))
    Report(19, fmt::format("{}: UIDs are not below UIDNEXT", name));
}

Result<> AccountCheck::References() {
  const std::string prefix = schema::AccountPrefix(account_);
  schema::ReferencesUseRow said;
  schema::ReferencesUseRow has;
  std::set<std::string> of_messages;
  RETURN_IF_ERROR(view_.Scan(
      Table::kReferences, prefix, kv::PrefixEnd(prefix),
      [&](std::string_view encoded, std::string_view value) {
        if (!schema::ReferenceKey::Is(encoded)) {
          // They stand behind the references.
          if (of_messages.erase(std::string(encoded)) == 0)
            Report(24, "a message is said to have a reference that it has not");
          return true;
        }
        const auto key = schema::ReferenceKey::Decode(encoded);
        if (key && key->id == 0) {
          if (auto use = schema::ReferencesUseRow::Decode(value))
            said = *use;
          else
            Report(1, use.error().detail);
          return true;
        }
        const auto row = schema::ReferenceRow::Decode(value);
        if (!key || !row) {
          Report(1, key ? row.error().detail : key.error().detail);
          return true;
        }
        ++(row->over == 0 ? has.count : has.over);
        has.last_id = key->id;
        const Folder* folder = Find(row->folder);
        const bool there = folder != nullptr && folder->rows.Contains(row->uid);
        if (!there && !dropped_folders_.contains(row->folder.value) && !BeingFreed(row->folder, row->uid))
          Report(24, fmt::format("reference {} outlived its message", key->id));
        of_messages.insert(schema::MessageReferenceKey{account_, row->folder, row->uid, key->id}.Encode());
        reference_expiries_.insert(
            schema::ExpiryKey{account_, schema::ExpiryKind::kReference, ForgetAt(*row), row->folder, key->id}
                .Encode());
        return true;
      }));
  if (!of_messages.empty())
    Report(24, fmt::format("{} references are not found by their messages", of_messages.size()));
  if (said.count != has.count || said.over != has.over || has.last_id > said.last_id)
    Report(24, fmt::format("counts {} references and {} that are over, up to {}, has {} and {}, up to {}",
                           said.count, said.over, said.last_id, has.count, has.over, has.last_id));
  return {};
}

Result<> AccountCheck::Subscriptions() {
  std::uint32_t count = 0;
  RETURN_IF_ERROR(ForEach<schema::PathKey>(Table::kSubscriptions, [&](const schema::PathKey& key, auto) {
    ++count;
    if (protocol::CheckMailboxName(key.path) != protocol::NameFault::kNone)
      Report(1, "a subscription's name is malformed");
  }));
  if (row_->subscriptions && *row_->subscriptions != count)
    Report(3, fmt::format("counts {} subscriptions, has {}", *row_->subscriptions, count));
  return {};
}

Result<> AccountCheck::Annotations() {
  RETURN_IF_ERROR(ForEach<schema::AnnotationKey>(
      Table::kAnnotations, [&](const schema::AnnotationKey& key, std::string_view value) {
        if (dropped_folders_.contains(key.folder.value)) return;
        if (key.entry.empty()) return AnnotationUse(key, value);
        const auto name = fmt::format("annotation {} of folder {}", key.entry, key.folder.value);
        const auto row = schema::AnnotationRow::Decode(value);
        if (!row) return Report(1, fmt::format("{}: {}", name, row.error().detail));
        if (key.folder != schema::kServerAnnotations && Find(key.folder) == nullptr)
          return Report(17, fmt::format("{}: no such folder", name));
        if (protocol::MetadataKey(row->name) != key.entry ||
            !protocol::MetadataNameFault(row->name, protocol::MetadataNameUse::kEntry).empty()) {
          Report(17, fmt::format("{}: its row has another name, or none that is allowed", name));
        }
        if (protocol::IsPrivateMetadata(key.entry) != (key.viewer.value != 0))
          Report(17, fmt::format("{}: belongs to viewer {}", name, key.viewer.value));
        for (const auto scope : {key.folder, schema::kAllAnnotations}) {
          ++annotations_[scope.value].entries;
          annotations_[scope.value].octets += row->name.size() + row->value.size();
        }
      }));
  for (const auto& [scope, counted] : annotations_) {
    if (annotations_said_[scope] != counted)
      Report(18,
             fmt::format("scope {} has {} annotations of {} octets, counts {} of {}", scope, counted.entries,
                         counted.octets, annotations_said_[scope].entries, annotations_said_[scope].octets));
    annotations_said_.erase(scope);
  }
  for (const auto& [scope, said] : annotations_said_)
    Report(18, fmt::format("scope {} counts {} annotations, has none", scope, said.entries));
  return {};
}

bool AccountCheck::Unsettled(FolderId folder, std::string_view who) const {
  const auto at = unsettled_.find(folder.value);
  return at != unsettled_.end() && std::ranges::find(at->second, who) != at->second.end();
}

Result<> AccountCheck::Acls() {
  std::set<std::uint64_t> listed;
  Result<> bad;
  RETURN_IF_ERROR(
      ForEach<schema::FolderKey>(Table::kAcl, [&](const schema::FolderKey& key, std::string_view value) {
        const auto name = fmt::format("access control list of folder {}", key.folder.value);
        const auto row = schema::AclRow::Decode(value);
        if (!row) return Report(1, fmt::format("{}: {}", name, row.error().detail));
        listed.insert(key.folder.value);
        const Folder* folder = Find(key.folder);
        if (folder == nullptr) return Report(21, fmt::format("{}: no such folder", name));
        if (row->entries.size() > kMaxAclEntries) Report(21, fmt::format("{}: too many identifiers", name));
        if (folder->row.owner_rights != OwnersPart(row->entries, *row_))
          Report(21, fmt::format("{}: the folder's row says other rights of its owner", name));
        if (auto done = GrantsOf(key.folder, *row); !done) bad = std::move(done);
      }));
  RETURN_IF_ERROR(bad);
  for (const auto& [id, folder] : folders_) {
    if (folder.row.owner_rights && !listed.contains(id))
      Report(21, fmt::format("folder {}: its row speaks of an access control list, but there is none", id));
  }
  return {};
}

Result<> AccountCheck::GrantsOf(FolderId folder, const schema::AclRow& acl) {
  for (const std::string& who : NamesIn(acl.entries)) {
    if (who == row_->address || Unsettled(folder, who)) continue;
    ASSIGN_OR_RETURN(const auto grant,
                     view_.Get(Table::kGrants, schema::GrantKey{who, account_, folder}.Encode()));
    if (!grant) Report(22, fmt::format("folder {}: its list names {}, grants does not", folder.value, who));
  }
  return {};
}

void AccountCheck::AnnotationUse(const schema::AnnotationKey& key, std::string_view value) {
  const auto row = schema::AnnotationUseRow::Decode(value);
  if (!row) return Report(1, row.error().detail);
  if (key.viewer.value != 0) Report(18, "a count of annotations has a viewer");
  annotations_said_[key.folder.value] = *row;
}

Result<> AccountCheck::UrlKeys() {
  const std::string prefix = schema::AccountPrefix(account_);
  const auto each = [&](const auto& visit) {
    return view_.Scan(Table::kUrlKeys, prefix, kv::PrefixEnd(prefix), visit);
  };
  RETURN_IF_ERROR(each([&](std::string_view encoded, std::string_view value) {
    if (schema::FormerPathKey::Is(encoded)) return true;
    if (const auto key = schema::FolderKey::Decode(encoded)) UrlKeyRow(*key, value);
    return true;
  }));
  // The rows of former paths stand before those of the folders, so they are compared in a second walk.
  RETURN_IF_ERROR(each([&](std::string_view encoded, std::string_view) {
    if (!schema::FormerPathKey::Is(encoded)) return false;
    const auto key = schema::FormerPathKey::Decode(encoded);
    if (!key)
      Report(1, "a key in url_keys does not decode");
    else if (former_paths_.erase(std::string(encoded)) == 0)
      Report(23,
             fmt::format("folder {} does not say that it was named \"{}\"", key->folder.value, key->path));
    return true;
  }));
  for (const auto& encoded : former_paths_) {
    if (const auto key = schema::FormerPathKey::Decode(encoded))
      Report(23,
             fmt::format("folder {} is not found by its former name \"{}\"", key->folder.value, key->path));
  }
  return {};
}

Result<> AccountCheck::Seen() {
  return ForEach<schema::SeenKey>(Table::kSeen, [&](const schema::SeenKey& key, std::string_view value) {
    if (const auto page = schema::SeenPage::Decode(value); !page) Report(1, page.error().detail);
    if (key.viewer.value == 0 || key.viewer == account_)
      Report(25, fmt::format("folder {}: what its owner has seen is no guest's", key.folder.value));
    if (Find(key.folder) == nullptr && !dropped_folders_.contains(key.folder.value))
      Report(25, fmt::format("what was seen in folder {} outlived it", key.folder.value));
  });
}

void AccountCheck::UrlKeyRow(const schema::FolderKey& key, std::string_view value) {
  const auto row = schema::UrlKeyRow::Decode(value);
  if (!row) return Report(1, fmt::format("folder {}: {}", key.folder.value, row.error().detail));
  if (Find(key.folder) == nullptr)
    Report(23, fmt::format("the URL key of folder {} outlived it", key.folder.value));
  for (const auto& path : row->former_paths)
    former_paths_.insert(schema::FormerPathKey{account_, path, key.folder}.Encode());
}

void AccountCheck::Sums() {
  std::uint64_t octets = 0;
  std::uint64_t messages = 0;
  for (const auto& [id, folder] : folders_) {
    const auto& row = folder.row;
    if (row.messages != folder.messages || row.unseen != folder.unseen || row.deleted != folder.deleted) {
      Report(6, fmt::format(
                    "folder {}: its row counts {} messages, {} unseen, {} deleted; the pages {}, {}, {}", id,
                    row.messages, row.unseen, row.deleted, folder.messages, folder.unseen, folder.deleted));
    }
    if (row.octets != folder.octets)
      Report(7, fmt::format("folder {}: its row counts {} octets, the messages {}", id, row.octets,
                            folder.octets));
    octets += row.octets;
    messages += row.messages;
  }
  if (row_->folders != folders_.size())
    Report(3, fmt::format("counts {} folders, has {}", row_->folders, folders_.size()));
  if (row_->used_octets != octets || row_->used_messages != messages) {
    Report(3, fmt::format("counts {} octets in {} messages, its folders {} in {}", row_->used_octets,
                          row_->used_messages, octets, messages));
  }
}

}  // namespace storage::check
