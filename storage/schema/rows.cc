#include "storage/schema/rows.h"

#include <fmt/format.h>

#include "storage/schema/bytes.h"

namespace storage::schema {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kCountsSubscriptions = 2;  ///< version of an AccountRow that does

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

std::string AccountRow::Encode() const {
  Writer out;
  out.U8(subscriptions ? kCountsSubscriptions : kVersion).U8(role).U8(status).String(address);
  Strings(out, aliases);
  out.String(password_hash)
      .Varint(quota_octets)
      .Varint(quota_messages)
      .Varint(used_octets)
      .Varint(used_messages);
  out.Varint(folders).Signed(created).Varint(next_folder).Varint(next_uid_validity).Varint(modseq.value);
  if (subscriptions) out.Varint(*subscriptions);
  return out.Take();
}

Result<AccountRow> AccountRow::Decode(std::string_view value) {
  Reader in(value);
  const std::uint8_t version = in.U8();
  if (version != kVersion && version != kCountsSubscriptions) in.Fault();
  AccountRow row;
  row.role = in.U8();
  row.status = in.U8();
  row.address = in.String();
  row.aliases = Strings(in);
  row.password_hash = in.String();
  row.quota_octets = in.Varint();
  row.quota_messages = in.Varint();
  row.used_octets = in.Varint();
  row.used_messages = in.Varint();
  row.folders = Narrow<std::uint32_t>(in);
  row.created = in.Signed();
  row.next_folder = in.Varint();
  row.next_uid_validity = Narrow<std::uint32_t>(in);
  row.modseq = {in.Varint()};
  if (version == kCountsSubscriptions) row.subscriptions = Narrow<std::uint32_t>(in);
  if (!in.Done()) return Bad("account row", value, kCountsSubscriptions);
  return row;
}

std::string FolderRow::Encode() const {
  Writer out;
  out.U8(kVersion)
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
  return out.Take();
}

Result<FolderRow> FolderRow::Decode(std::string_view value) {
  Reader in = Open(value);
  FolderRow row;
  row.path = in.String();
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
  row.conversation_id = in.String();
  row.contribution_id = in.String();
  row.keywords = Strings(in);
  // More have no bit in a message's state.
  if (row.keywords.size() > 64) in.Fault();
  if (!in.Done()) return Bad("folder row", value);
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
