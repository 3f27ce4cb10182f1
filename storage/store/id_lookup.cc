#include "storage/store/id_lookup.h"

#include <algorithm>
#include <array>
#include <string>

#include "protocol/cpm/limits.h"
#include "protocol/mime/inspect.h"
#include "protocol/mime/source.h"
#include "protocol/model/ascii.h"
#include "protocol/model/object_kind.h"
#include "storage/schema/rows.h"
#include "storage/schema/state_page.h"
#include "storage/store/account_txn.h"
#include "storage/store/core.h"
#include "storage/store/folder_reader.h"

namespace storage {
namespace {

using kv::Table;
using protocol::mime::Inspection;
using schema::IdKey;
using schema::StatePage;

struct Identifier {
  IdKind kind;
  std::string_view field;
  std::optional<std::string> Inspection::* value;
};
constexpr std::array kIdentifiers{
    Identifier{IdKind::kConversation, "Conversation-ID", &Inspection::conversation_id},
    Identifier{IdKind::kContribution, "Contribution-ID", &Inspection::contribution_id},
    Identifier{IdKind::kInReplyToContribution, "InReplyTo-Contribution-ID",
               &Inspection::in_reply_to_contribution_id},
    Identifier{IdKind::kImdnMessage, "IMDN-Message-ID", &Inspection::imdn_message_id},
    Identifier{IdKind::kMessage, "Message-ID", &Inspection::message_id},
    Identifier{IdKind::kCorrelator, "Message-Correlator", &Inspection::message_correlator},
};

// A header that is read at all lies in an object's first chunk, so that is enough to read an id again.
static_assert(protocol::mime::InspectLimits{}.max_header <= StagedBody::kChunk);
// What the network may write is found again.
static_assert(protocol::mime::InspectLimits{}.max_id >=
              std::max(protocol::cpm::kMaxId, protocol::cpm::kMaxCorrelator));

/// `Rows` is what reads: a View or an AccountTxn.
template <class Rows>
class Lookup {
 public:
  Lookup(const Rows& rows, AccountId account, IdKind kind) : rows_(rows), account_(account), kind_(kind) {}

  /// Messages with this very value, in `folder` if one is named.
  Result<> Find(std::string_view value, std::optional<FolderId> folder, std::vector<FoundMessage>& out) {
    if (!IsIndexable(value)) return {};
    const std::string first =
        folder ? IdKey::Prefix(account_, kind_, value, *folder) : IdKey::Prefix(account_, kind_, value);
    std::vector<FoundMessage> hits;
    Result<> bad;
    RETURN_IF_ERROR(rows_.Scan(Table::kIds, first, kv::PrefixEnd(first), [&](std::string_view key, auto) {
      const auto at = IdKey::Decode(key);
      if (at)
        hits.push_back({at->folder, at->uid});
      else
        bad = tl::unexpected<Error>(at.error());
      return bad.has_value();
    }));
    RETURN_IF_ERROR(bad);
    // What fills the key may go on in the object.
    const bool cut = value.size() >= IdKey::kMaxValue;
    for (const FoundMessage& hit : hits) {
      ASSIGN_OR_RETURN(bool is_it, IsThere(hit));
      if (is_it && cut) {
        ASSIGN_OR_RETURN(is_it, Has(hit, value));
      }
      if (is_it) out.push_back(hit);
    }
    return {};
  }

  /// Classified messages of a kind, from `from` on.
  Result<std::vector<FoundMessage>> FindKind(protocol::ObjectKind kind, FoundMessage from,
                                             std::optional<FolderId> only, std::size_t most) {
    const IdKey first = IdKey::OfKind(account_, kind, from.folder, from.uid);
    const std::string all = only ? IdKey::Prefix(account_, IdKind::kObjectKind, first.value, *only)
                                 : IdKey::Prefix(account_, IdKind::kObjectKind, first.value);
    std::vector<FoundMessage> out;
    Result<> bad;
    const auto visit = [&](std::string_view key, std::string_view) -> Result<bool> {
      ASSIGN_OR_RETURN(const IdKey at, IdKey::Decode(key));
      ASSIGN_OR_RETURN(const bool is_it, IsThere({at.folder, at.uid}));
      if (is_it) out.push_back({at.folder, at.uid});
      return out.size() < most;
    };
    RETURN_IF_ERROR(rows_.Scan(Table::kIds, std::max(first.Encode(), all), kv::PrefixEnd(all),
                               [&](std::string_view key, std::string_view value) {
                                 const auto more = visit(key, value);
                                 if (!more) bad = tl::unexpected<Error>(more.error());
                                 return more.value_or(false);
                               }));
    RETURN_IF_ERROR(bad);
    return out;
  }

 private:
  /// Rows of messages that are not shown yet, or wait to be freed, are in the index too.
  Result<bool> IsThere(const FoundMessage& message) {
    const std::uint32_t page_no = StatePage::PageOf(message.uid);
    const std::string key = schema::StateKey{account_, message.folder, page_no}.Encode();
    if (key != page_key_) {
      page_key_ = key;
      page_.present = {};
      ASSIGN_OR_RETURN(const auto folder,
                       rows_.Get(Table::kFolders, schema::FolderKey{account_, message.folder}.Encode()));
      if (!folder) return false;
      ASSIGN_OR_RETURN(const auto value, rows_.Get(Table::kStates, key));
      if (value) RETURN_IF_ERROR(StatePage::Decode(*value, page_));
    }
    return page_.Has(StatePage::SlotOf(message.uid));
  }

  /// The index cuts long values; the object has it all.
  Result<bool> Has(const FoundMessage& message, std::string_view value) const {
    ASSIGN_OR_RETURN(
        const auto encoded,
        rows_.Get(Table::kMessages, schema::MessageKey{account_, message.folder, message.uid}.Encode()));
    if (!encoded) return Fail(Errc::kCorruption, "a message has no row");
    ASSIGN_OR_RETURN(const auto row, schema::StoredMessage::Decode(*encoded));
    ASSIGN_OR_RETURN(const auto octets,
                     rows_.Get(Table::kBodies, schema::ChunkKey{account_, row.object, 0}.Encode()));
    if (!octets) return Fail(Errc::kCorruption, "an object has no first chunk");
    protocol::mime::MemorySource source(*octets);
    const auto inspection = protocol::mime::Inspect(source);
    if (!inspection) return Fail(Errc::kUnavailable, "an object's octets cannot be read");
    return std::ranges::any_of(kIdentifiers, [&](const Identifier& identifier) {
      return identifier.kind == kind_ && (*inspection).*identifier.value == value;
    });
  }

  const Rows& rows_;
  AccountId account_;
  IdKind kind_;
  std::string page_key_;
  StatePage page_;
};

template <class Rows>
Result<std::vector<FoundMessage>> Find(const Rows& rows, AccountId account, IdKind kind,
                                       std::string_view value, std::optional<FolderId> folder) {
  std::vector<FoundMessage> found;
  Lookup<Rows> lookup(rows, account, kind);
  RETURN_IF_ERROR(lookup.Find(value, folder, found));
  if (kind == IdKind::kMessage) {
    const bool bracketed = value.size() > 2 && value.starts_with('<') && value.ends_with('>');
    const std::string other = bracketed ? std::string(value.substr(1, value.size() - 2))
                                        : std::string("<").append(value).append(">");
    RETURN_IF_ERROR(lookup.Find(other, folder, found));
    std::ranges::sort(found);
  }
  return found;
}

}  // namespace

std::optional<IdKind> IdKindOf(std::string_view field) {
  for (const Identifier& identifier : kIdentifiers) {
    if (protocol::ascii::EqualNoCase(identifier.field, field)) return identifier.kind;
  }
  return std::nullopt;
}

bool IsIndexed(IdKind kind, std::string_view value) {
  // In every store: the index took no longer ones before it took whole correlators (cpm::kMaxCorrelator).
  constexpr std::size_t kAlways = 512;
  const std::size_t brackets = kind == IdKind::kMessage ? 2 : 0;  // a message may have it with them
  return IsIndexable(value) && value.size() + brackets <= kAlways;
}

bool IsIndexable(std::string_view value) {
  return !value.empty() && value.size() <= protocol::mime::InspectLimits{}.max_id &&
         value.find('\0') == std::string_view::npos;
}

Result<std::string> IdIn(std::string_view ids, IdKind kind) {
  ASSIGN_OR_RETURN(auto all, schema::DecodeIds(ids));
  for (auto& id : all) {
    if (id.kind == kind) return std::move(id.value);
  }
  return std::string();
}

std::vector<schema::IndexedId> IdsOf(const Inspection& inspection) {
  std::vector<schema::IndexedId> ids;
  for (const Identifier& identifier : kIdentifiers) {
    const auto& value = inspection.*identifier.value;
    if (value && !IdKey::Indexed(*value).empty())
      ids.push_back({identifier.kind, std::string(IdKey::Indexed(*value))});
  }
  return ids;
}

Result<std::vector<FoundMessage>> FindById(const AccountTxn& txn, IdKind kind, std::string_view value) {
  return Find(txn, txn.account(), kind, value, std::nullopt);
}

Result<std::vector<FoundMessage>> MailStore::FindById(AccountId account, IdKind kind,
                                                      std::string_view value) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  const auto view = core_->engine.OpenView();
  return Find(*view, account, kind, value, std::nullopt);
}

Result<std::vector<FoundMessage>> MailStore::FindByKind(AccountId account, protocol::ObjectKind kind,
                                                        FoundMessage from, std::optional<FolderId> only,
                                                        std::size_t most) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  const auto view = core_->engine.OpenView();
  return Lookup(*view, account, IdKind::kObjectKind).FindKind(kind, from, only, most);
}

Result<UidSet> FolderReader::FindById(IdKind kind, std::string_view value) const {
  ASSIGN_OR_RETURN(const auto found, Find(*view_, status_.ref.account, kind, value, status_.ref.folder));
  UidSet uids;
  for (const FoundMessage& message : found) uids.Add(message.uid);
  return uids;
}

}  // namespace storage
