#include "storage/schema/rows.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "storage/schema/bytes.h"

namespace storage::schema {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kCountsSubscriptions = 2;  ///< version of an AccountRow that does
constexpr std::uint8_t kHasMarks = 3;             ///< likewise
constexpr std::uint8_t kHasAllQuotas = 4;         ///< and act_for
constexpr std::uint8_t kHasOwnerRights = 2;       ///< version of a FolderRow that does

tl::unexpected<Error> Bad(std::string_view what, std::string_view value, std::uint8_t newest = kVersion) {
  if (!value.empty() && static_cast<std::uint8_t>(value[0]) > newest) {
    return Fail(Errc::kCorruption,
                fmt::format("{} has version {}, this program knows up to {}: it was written by a newer cmsd",
                            what, static_cast<int>(static_cast<std::uint8_t>(value[0])), newest));
  }
  return Fail(Errc::kCorruption, fmt::format("{} does not decode", what));
}

/// A reader past the version octet; one that has failed if the version is not ours.
Reader Open(std::string_view value) {
  Reader in(value);
  if (in.U8() != kVersion) in.Fault();
  return in;
}

/// Varint that must fit its field.
template <class T>
T Narrow(Reader& in) {
  const std::uint64_t value = in.Varint();
  if (value > std::uint64_t{static_cast<T>(~T{0})}) in.Fault();
  return static_cast<T>(value);
}

protocol::SpecialUse Use(Reader& in) {
  const auto use = in.U8();
  if (use > static_cast<std::uint8_t>(protocol::SpecialUse::kTrash)) in.Fault();
  return static_cast<protocol::SpecialUse>(use);
}

std::vector<std::string> Strings(Reader& in) {
  std::vector<std::string> out;
  for (auto n = in.Varint(); n > 0 && in.ok(); --n) out.emplace_back(in.String());
  return out;
}

void Strings(Writer& out, const std::vector<std::string>& strings) {
  out.Varint(strings.size());
  for (const auto& s : strings) out.String(s);
}

void Date(Writer& out, const protocol::InternalDate& date) {
  out.Signed(date.unix_seconds).Signed(date.zone_minutes);
}

protocol::InternalDate Date(Reader& in) {
  protocol::InternalDate date;
  date.unix_seconds = in.Signed();
  const auto zone = in.Signed();
  if (zone < -24 * 60 || zone > 24 * 60) in.Fault();
  date.zone_minutes = static_cast<std::int16_t>(zone);
  return date;
}

void Uids(Writer& out, const UidSet& uids) {
  out.Varint(uids.ranges().size());
  std::uint32_t end = 0;
  for (const auto& range : uids.ranges()) {
    out.Varint(range.first.value - end).Varint(range.last.value - range.first.value);
    end = range.last.value;
  }
}

UidSet Uids(Reader& in) {
  UidSet uids;
  std::uint64_t end = 0;
  for (auto n = in.Varint(); n > 0 && in.ok(); --n) {
    const std::uint64_t first = end + Narrow<std::uint32_t>(in);
    const std::uint64_t last = first + Narrow<std::uint32_t>(in);
    // Ranges are disjoint, not adjacent, and start at 1: anything else was not written by us.
    if (first == 0 || last > protocol::kMaxUid.value || (end != 0 && first <= end + 1)) {
      in.Fault();
      break;
    }
    uids.Add(Uid{static_cast<std::uint32_t>(first)}, Uid{static_cast<std::uint32_t>(last)});
    end = last;
  }
  return uids;
}

}  // namespace

std::string AddressRow::Encode() const { return Writer().U8(kVersion).Varint(account.value).Take(); }

Result<AddressRow> AddressRow::Decode(std::string_view value) {
  Reader in = Open(value);
  const AddressRow row{{in.Varint()}};
  if (!in.Done()) return Bad("address row", value);
  return row;
}

namespace {

std::uint8_t VersionOf(const AccountRow& row) {
  // What an older program could read is written so that it can.
  const auto& quota = row.quota;
  if (quota.octets == 0 || quota.messages == 0 || quota.folders || quota.annotation_octets ||
      !row.act_for.empty())
    return kHasAllQuotas;
  return row.marks ? kHasMarks : row.subscriptions ? kCountsSubscriptions : kVersion;
}

void WriteQuota(Writer& out, const std::optional<std::uint64_t>& limit, std::uint8_t version) {
  if (version >= kHasAllQuotas)
    out.Varint(limit ? *limit + 1 : 0);
  else
    out.Varint(limit.value_or(0));
}

std::optional<std::uint64_t> ReadQuota(Reader& in, std::uint8_t version) {
  const std::uint64_t value = in.Varint();
  if (value == 0) return std::nullopt;
  if (version >= kHasAllQuotas && value - 1 > kMaxQuota) in.Fault();
  return version >= kHasAllQuotas ? value - 1 : std::min(value, kMaxQuota);
}

}  // namespace

std::string AccountRow::Encode() const {
  const std::uint8_t version = VersionOf(*this);
  Writer out;
  out.U8(version);
  out.U8(role).U8(status).String(address);
  Strings(out, aliases);
  out.String(password_hash);
  WriteQuota(out, quota.octets, version);
  WriteQuota(out, quota.messages, version);
  out.Varint(used_octets).Varint(used_messages);
  out.Varint(folders).Signed(created).Varint(next_folder).Varint(next_uid_validity).Varint(modseq.value);
  if (version >= kHasMarks) {
    out.Varint(subscriptions ? std::uint64_t{*subscriptions} + 1 : 0);
    if (version >= kHasAllQuotas) out.U8(marks ? 1 : 0);
    if (marks) out.Varint(marks->names.value).Varint(marks->annotations.value);
  } else if (subscriptions) {
    out.Varint(*subscriptions);
  }
  if (version >= kHasAllQuotas) {
    WriteQuota(out, quota.folders, version);
    WriteQuota(out, quota.annotation_octets, version);
    Strings(out, act_for);
  }
  return out.Take();
}

Result<AccountRow> AccountRow::Decode(std::string_view value) {
  Reader in(value);
  const std::uint8_t version = in.U8();
  if (version < kVersion || version > kHasAllQuotas) in.Fault();
  AccountRow row;
  row.role = in.U8();
  row.status = in.U8();
  row.address = in.String();
  row.aliases = Strings(in);
  row.password_hash = in.String();
  row.quota.octets = ReadQuota(in, version);
  row.quota.messages = ReadQuota(in, version);
  row.used_octets = in.Varint();
  row.used_messages = in.Varint();
  row.folders = Narrow<std::uint32_t>(in);
  row.created = in.Signed();
  row.next_folder = in.Varint();
  row.next_uid_validity = Narrow<std::uint32_t>(in);
  row.modseq = {in.Varint()};
  if (version == kCountsSubscriptions) row.subscriptions = Narrow<std::uint32_t>(in);
  if (version >= kHasMarks) {
    const std::uint64_t counted = in.Varint();
    if (counted > std::uint64_t{std::numeric_limits<std::uint32_t>::max()} + 1) in.Fault();
    if (counted != 0) row.subscriptions = static_cast<std::uint32_t>(counted - 1);
    const std::uint8_t marked = version >= kHasAllQuotas ? in.U8() : 1;
    if (marked > 1) in.Fault();
    if (marked == 1) {
      const ModSeq names{in.Varint()};
      row.marks = {names, ModSeq{in.Varint()}};
    }
  }
  if (version >= kHasAllQuotas) {
    row.quota.folders = ReadQuota(in, version);
    row.quota.annotation_octets = ReadQuota(in, version);
    row.act_for = Strings(in);
  }
  if (!in.Done()) return Bad("account row", value, kHasAllQuotas);
  return row;
}

std::string FolderRow::Encode() const {
  Writer out;
  out.U8(owner_rights ? kHasOwnerRights : kVersion)
      .String(path)
      .U8(kind)
      .U8(static_cast<std::uint8_t>(use))
      .Varint(uid_validity.value)
      .Varint(uid_next.value);
  out.Varint(highest_modseq.value)
      .Varint(messages)
      .Varint(unseen)
      .Varint(deleted)
      .Varint(octets)
      .Varint(recent_from.value);
  out.Signed(created).String(conversation_id).String(contribution_id);
  Strings(out, keywords);
  if (owner_rights) out.Varint(owner_rights->bits());
  return out.Take();
}

namespace {

protocol::Rights ReadRights(Reader& in) {
  const std::uint64_t bits = in.Varint();
  if (bits > protocol::Rights::All().bits()) in.Fault();
  return protocol::Rights::FromBits(static_cast<std::uint32_t>(bits));
}

/// A reader past the version octet of a folder's row.
Reader OpenFolder(std::string_view value, std::uint8_t& version) {
  Reader in(value);
  version = in.U8();
  if (version < kVersion || version > kHasOwnerRights) in.Fault();
  return in;
}

/// What lies between the path and the strings at the end.
void ReadCounts(Reader& in, FolderRow& row) {
  row.kind = in.U8();
  row.use = Use(in);
  row.uid_validity = {Narrow<std::uint32_t>(in)};
  row.uid_next = {Narrow<std::uint32_t>(in)};
  row.highest_modseq = {in.Varint()};
  row.messages = Narrow<std::uint32_t>(in);
  row.unseen = Narrow<std::uint32_t>(in);
  row.deleted = Narrow<std::uint32_t>(in);
  row.octets = in.Varint();
  row.recent_from = {Narrow<std::uint32_t>(in)};
  row.created = in.Signed();
}

}  // namespace

Result<FolderRow> FolderRow::Decode(std::string_view value) {
  std::uint8_t version = 0;
  Reader in = OpenFolder(value, version);
  FolderRow row;
  row.path = in.String();
  ReadCounts(in, row);
  row.conversation_id = in.String();
  row.contribution_id = in.String();
  row.keywords = Strings(in);
  // More have no bit in a message's state.
  if (row.keywords.size() > 64) in.Fault();
  if (version == kHasOwnerRights) row.owner_rights = ReadRights(in);
  if (!in.Done()) return Bad("folder row", value, kHasOwnerRights);
  return row;
}

Result<FolderRow> FolderRow::DecodeCounts(std::string_view value) {
  std::uint8_t version = 0;
  Reader in = OpenFolder(value, version);
  FolderRow row;
  in.String();
  ReadCounts(in, row);
  if (version == kHasOwnerRights) {
    in.String();
    in.String();
    Strings(in);
    row.owner_rights = ReadRights(in);
  }
  if (!in.ok()) return Bad("folder row", value, kHasOwnerRights);
  return row;
}

std::string AclRow::Encode() const {
  Writer out;
  out.U8(kVersion).Varint(entries.size());
  for (const auto& entry : entries) out.String(entry.identifier).Varint(entry.rights.bits());
  return out.Take();
}

Result<AclRow> AclRow::Decode(std::string_view value) {
  Reader in = Open(value);
  AclRow row;
  for (auto n = in.Varint(); n > 0 && in.ok(); --n) {
    std::string identifier(in.String());
    const protocol::Rights rights = ReadRights(in);
    const bool ascends = row.entries.empty() || row.entries.back().identifier < identifier;
    if (identifier.empty() || rights.empty() || !ascends) in.Fault();
    row.entries.push_back({std::move(identifier), rights});
  }
  if (row.entries.empty()) in.Fault();
  if (!in.Done()) return Bad("access control list", value);
  return row;
}

std::string GrantsRow::Encode() const {
  Writer out;
  out.U8(kVersion).Varint(modseq.value);
  Strings(out, identifiers);
  return out.Take();
}

Result<GrantsRow> GrantsRow::Decode(std::string_view value) {
  Reader in = Open(value);
  GrantsRow row;
  row.modseq = {in.Varint()};
  row.identifiers = Strings(in);
  if (!in.Done()) return Bad("intent about grants", value);
  return row;
}

std::string FolderNameRow::Encode() const {
  return Writer().U8(kVersion).Varint(folder.value).U8(kind).U8(static_cast<std::uint8_t>(use)).Take();
}

Result<FolderNameRow> FolderNameRow::Decode(std::string_view value) {
  Reader in = Open(value);
  const FolderNameRow row{{in.Varint()}, in.U8(), Use(in)};
  if (!in.Done()) return Bad("folder name row", value);
  return row;
}

namespace {

constexpr std::uint8_t kMalformed = 0x80;

std::uint8_t KindOctet(const StoredMessage& row) {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(row.object_kind) |
                                   (row.malformed ? kMalformed : 0));
}

}  // namespace

std::string StoredMessage::Encode() const {
  Writer out;
  out.U8(kVersion);
  Date(out, internal_date);
  out.Signed(save_date)
      .Varint(size)
      .Varint(object.value)
      .U8(KindOctet(*this))
      .Signed(expiry)
      .U8(sent ? 1 : 0);
  if (sent) Date(out, *sent);
  out.String(envelope).String(body).String(body_structure).String(parts).Raw(ids);
  return out.Take();
}

Result<StoredMessage> StoredMessage::Decode(std::string_view value) {
  Reader in = Open(value);
  StoredMessage row;
  row.internal_date = Date(in);
  row.save_date = in.Signed();
  row.size = in.Varint();
  row.object = {in.Varint()};
  const auto kind = in.U8();
  row.object_kind = static_cast<protocol::ObjectKind>(kind & ~kMalformed);
  row.malformed = (kind & kMalformed) != 0;
  row.expiry = in.Signed();
  const auto has_sent = in.U8();
  if (has_sent > 1) in.Fault();
  if (has_sent == 1) row.sent = Date(in);
  row.envelope = in.String();
  row.body = in.String();
  row.body_structure = in.String();
  row.parts = in.String();
  row.ids = in.Rest();
  if (!in.Done()) return Bad("message row", value);
  return row;
}

std::string EncodeIds(const std::vector<IndexedId>& ids) {
  Writer out;
  out.Varint(ids.size());
  for (const auto& id : ids) out.U8(static_cast<std::uint8_t>(id.kind)).String(id.value);
  return out.Take();
}

Result<std::vector<IndexedId>> DecodeIds(std::string_view bytes) {
  Reader in(bytes);
  std::vector<IndexedId> ids;
  for (auto n = in.Varint(); n > 0 && in.ok(); --n) {
    const auto kind = static_cast<IdKind>(in.U8());
    ids.push_back({kind, std::string(in.String())});
  }
  if (!in.Done()) return Bad("message row's ids", {});
  return ids;
}

Result<std::vector<std::string>> IdKeysOf(AccountId account, FolderId folder, Uid uid,
                                          const StoredMessage& message) {
  ASSIGN_OR_RETURN(auto ids, DecodeIds(message.ids));
  std::vector<std::string> keys;
  for (auto& id : ids) keys.push_back(IdKey{account, id.kind, std::move(id.value), folder, uid}.Encode());
  if (message.object_kind != protocol::ObjectKind::kUnclassified)
    keys.push_back(IdKey::OfKind(account, message.object_kind, folder, uid).Encode());
  return keys;
}

std::string TextRow::Encode() const {
  return Writer().U8(kVersion).U8(truncated ? 1 : 0).String(header).String(body).Take();
}

Result<TextRow> TextRow::Decode(std::string_view value) {
  Reader in = Open(value);
  TextRow row;
  const auto truncated = in.U8();
  if (truncated > 1) in.Fault();
  row.truncated = truncated == 1;
  row.header = in.String();
  row.body = in.String();
  if (!in.Done()) return Bad("text row", value);
  return row;
}

std::string BodyRefRow::Encode() const { return Writer().U8(kVersion).Varint(count).Take(); }

Result<BodyRefRow> BodyRefRow::Decode(std::string_view value) {
  Reader in = Open(value);
  const BodyRefRow row{in.Varint()};
  if (!in.Done() || row.count < 2) return Bad("body reference row", value);
  return row;
}

std::string VanishedRow::Encode() const {
  Writer out;
  out.U8(kVersion).Signed(when);
  Uids(out, uids);
  return out.Take();
}

Result<VanishedRow> VanishedRow::Decode(std::string_view value) {
  Reader in = Open(value);
  VanishedRow row;
  row.when = in.Signed();
  row.uids = Uids(in);
  if (!in.Done()) return Bad("vanished row", value);
  return row;
}

std::string PurgeRow::Encode() const {
  Writer out;
  out.U8(kVersion).Varint(folder.value);
  Uids(out, uids);
  return out.Take();
}

Result<PurgeRow> PurgeRow::Decode(std::string_view value) {
  Reader in = Open(value);
  PurgeRow row;
  row.folder = {in.Varint()};
  row.uids = Uids(in);
  if (!in.Done()) return Bad("purge row", value);
  return row;
}

std::string AnnotationRow::Encode() const { return Writer().U8(kVersion).String(name).String(value).Take(); }

Result<AnnotationRow> AnnotationRow::Decode(std::string_view value) {
  Reader in = Open(value);
  AnnotationRow row;
  row.name = in.String();
  row.value = in.String();
  if (!in.Done()) return Bad("annotation row", value);
  return row;
}

std::string AnnotationUseRow::Encode() const {
  return Writer().U8(kVersion).Varint(entries).Varint(octets).Take();
}

Result<AnnotationUseRow> AnnotationUseRow::Decode(std::string_view value) {
  Reader in = Open(value);
  AnnotationUseRow row;
  row.entries = in.Varint();
  row.octets = in.Varint();
  if (!in.Done() || row.entries == 0) return Bad("annotation use row", value);
  return row;
}

std::string UidsRow::Encode() const {
  Writer out;
  out.U8(kVersion);
  Uids(out, uids);
  return out.Take();
}

Result<UidsRow> UidsRow::Decode(std::string_view value) {
  Reader in = Open(value);
  UidsRow row{Uids(in)};
  if (!in.Done()) return Bad("expiry row", value);
  return row;
}

std::string MarkerRow() { return Writer().U8(kVersion).Take(); }

}  // namespace storage::schema
