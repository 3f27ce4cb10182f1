#include "storage/schema/keys.h"

#include <algorithm>

#include "storage/schema/bytes.h"

namespace storage::schema {
namespace {

constexpr char kSlashOnDisk = '\x01';

/// The key, if the reader consumed exactly its bytes.
template <class Key>
Result<Key> Finish(const Reader& in, Key key) {
  if (!in.Done()) return Fail(Errc::kCorruption, "key does not decode");
  return key;
}

}  // namespace

std::string AccountPrefix(AccountId account) { return Writer().U64(account.value).Take(); }

Result<AccountKey> AccountKey::Decode(std::string_view key) {
  Reader in(key);
  const AccountKey out{{in.U64()}};
  return Finish(in, out);
}

std::string FolderKey::Encode() const { return Writer().U64(account.value).U64(folder.value).Take(); }

Result<FolderKey> FolderKey::Decode(std::string_view key) {
  Reader in(key);
  const FolderKey out{{in.U64()}, {in.U64()}};
  return Finish(in, out);
}

std::string PathKey::Encode() const {
  std::string on_disk = path;
  std::replace(on_disk.begin(), on_disk.end(), '/', kSlashOnDisk);
  return Writer().U64(account.value).Raw(on_disk).Take();
}

std::string_view PathKey::OnDisk(std::string_view key) {
  constexpr std::size_t kAccount = 8;
  return key.substr(std::min(key.size(), kAccount));
}

void PathKey::ToPath(std::span<char> octets) { std::ranges::replace(octets, kSlashOnDisk, '/'); }

bool PathKey::IsPath(std::string_view path) { return path.find(kSlashOnDisk) == std::string_view::npos; }

Result<PathKey> PathKey::Decode(std::string_view key) {
  Reader in(key);
  PathKey out{{in.U64()}, std::string(in.Rest())};
  std::replace(out.path.begin(), out.path.end(), kSlashOnDisk, '/');
  return Finish(in, std::move(out));
}

std::string StateKey::Encode() const {
  return Writer().U64(account.value).U64(folder.value).U32(page).Take();
}

Result<StateKey> StateKey::Decode(std::string_view key) {
  Reader in(key);
  const StateKey out{{in.U64()}, {in.U64()}, in.U32()};
  return Finish(in, out);
}

std::string MessageKey::Encode() const {
  return Writer().U64(account.value).U64(folder.value).U32(uid.value).Take();
}

Result<MessageKey> MessageKey::Decode(std::string_view key) {
  Reader in(key);
  const MessageKey out{{in.U64()}, {in.U64()}, {in.U32()}};
  return Finish(in, out);
}

std::string ObjectKey::Encode() const { return Writer().U64(account.value).U64(object.value).Take(); }

Result<ObjectKey> ObjectKey::Decode(std::string_view key) {
  Reader in(key);
  const ObjectKey out{{in.U64()}, {in.U64()}};
  return Finish(in, out);
}

std::string ChunkKey::Encode() const {
  return Writer().U64(account.value).U64(object.value).U32(chunk).Take();
}

Result<ChunkKey> ChunkKey::Decode(std::string_view key) {
  Reader in(key);
  const ChunkKey out{{in.U64()}, {in.U64()}, in.U32()};
  return Finish(in, out);
}

std::string_view IdKey::Indexed(std::string_view value) {
  return value.substr(0, std::min({value.find('\0'), value.size(), kMaxValue}));
}

std::string IdKey::Prefix(AccountId account, IdKind kind, std::string_view value) {
  return Writer().U64(account.value).U8(static_cast<std::uint8_t>(kind)).Raw(Indexed(value)).U8(0).Take();
}

std::string IdKey::Prefix(AccountId account, IdKind kind, std::string_view value, FolderId folder) {
  return Writer().Raw(Prefix(account, kind, value)).U64(folder.value).Take();
}

IdKey IdKey::OfKind(AccountId account, protocol::ObjectKind kind, FolderId folder, Uid uid) {
  return {account, IdKind::kObjectKind, std::string(1, static_cast<char>(kind)), folder, uid};
}

std::string IdKey::Encode() const {
  return Writer().Raw(Prefix(account, kind, value, folder)).U32(uid.value).Take();
}

Result<IdKey> IdKey::Decode(std::string_view key) {
  constexpr std::size_t kTail = 1 + 8 + 4;
  if (key.size() < 9 + kTail) return Fail(Errc::kCorruption, "id key is too short");
  Reader in(key);
  IdKey out;
  out.account = {in.U64()};
  out.kind = static_cast<IdKind>(in.U8());
  out.value = in.Raw(key.size() - 9 - kTail);
  if (in.U8() != 0 || IdKey::Indexed(out.value) != out.value) in.Fault();
  out.folder = {in.U64()};
  out.uid = {in.U32()};
  return Finish(in, std::move(out));
}

std::string VanishedKey::Encode() const {
  return Writer().U64(account.value).U64(folder.value).U64(modseq.value).Take();
}

Result<VanishedKey> VanishedKey::Decode(std::string_view key) {
  Reader in(key);
  const VanishedKey out{{in.U64()}, {in.U64()}, {in.U64()}};
  return Finish(in, out);
}

std::string AnnotationKey::Prefix(AccountId account, FolderId folder, std::string_view entry) {
  return Writer().U64(account.value).U64(folder.value).Raw(entry).Take();
}

std::string AnnotationKey::Encode() const {
  return Writer().Raw(Prefix(account, folder, entry)).U8(0).U64(viewer.value).Take();
}

Result<AnnotationKey> AnnotationKey::Decode(std::string_view key) {
  constexpr std::size_t kHead = 8 + 8;
  constexpr std::size_t kTail = 1 + 8;
  if (key.size() < kHead + kTail) return Fail(Errc::kCorruption, "annotation key is too short");
  Reader in(key);
  AnnotationKey out;
  out.account = {in.U64()};
  out.folder = {in.U64()};
  out.entry = in.Raw(key.size() - kHead - kTail);
  if (in.U8() != 0 || out.entry.find('\0') != std::string::npos) in.Fault();
  out.viewer = {in.U64()};
  return Finish(in, std::move(out));
}

std::string GrantKey::Prefix(std::string_view identifier) { return Writer().Raw(identifier).U8(0).Take(); }

std::string GrantKey::Encode() const {
  return Writer().Raw(Prefix(identifier)).U64(account.value).U64(folder.value).Take();
}

Result<GrantKey> GrantKey::Decode(std::string_view key) {
  constexpr std::size_t kTail = 1 + 8 + 8;
  if (key.size() <= kTail) return Fail(Errc::kCorruption, "grant key is too short");
  Reader in(key);
  GrantKey out;
  out.identifier = in.Raw(key.size() - kTail);
  if (in.U8() != 0 || out.identifier.find('\0') != std::string::npos) in.Fault();
  out.account = {in.U64()};
  out.folder = {in.U64()};
  return Finish(in, std::move(out));
}

std::string ExpiryKey::Prefix(AccountId account, ExpiryKind kind) {
  return Writer().U64(account.value).U8(static_cast<std::uint8_t>(kind)).Take();
}

std::string ExpiryKey::Encode() const {
  return Writer()
      .Raw(Prefix(account, kind))
      .U64(static_cast<std::uint64_t>(due))
      .U64(folder.value)
      .U64(id)
      .Take();
}

Result<ExpiryKey> ExpiryKey::Decode(std::string_view key) {
  Reader in(key);
  const ExpiryKey out{{in.U64()},
                      static_cast<ExpiryKind>(in.U8()),
                      static_cast<std::int64_t>(in.U64()),
                      {in.U64()},
                      in.U64()};
  if (out.kind < ExpiryKind::kDeferred || out.kind > ExpiryKind::kReference) in.Fault();
  if (out.due < 0) in.Fault();
  return Finish(in, out);
}

std::string IntentKey::Encode() const {
  return Writer().U64(account.value).U8(static_cast<std::uint8_t>(kind)).U64(id).Take();
}

Result<IntentKey> IntentKey::Decode(std::string_view key) {
  Reader in(key);
  const IntentKey out{{in.U64()}, static_cast<IntentKind>(in.U8()), in.U64()};
  return Finish(in, out);
}

}  // namespace storage::schema
