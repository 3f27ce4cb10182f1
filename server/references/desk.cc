#include "server/references/desk.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "protocol/cpm/address.h"
#include "protocol/imap/url.h"
#include "protocol/model/ascii.h"
#include "server/references/external_body.h"
#include "server/references/rights.h"
#include "server/references/url_token.h"

namespace server::references {
namespace {

using protocol::Section;
using protocol::UrlAccess;
using storage::Errc;
using storage::Fail;
using storage::Reference;
using storage::ReferenceAudience;
using storage::Result;
using storage::schema::ReferenceRow;
using Form = PartReader::Form;
using Begun = PartReader::Begun;

constexpr std::string_view kPath = "/v1/references/";
constexpr std::uint64_t kPiece = 256 * 1024;

/// Issuing looks at a message, it does not read it for anybody.
const storage::Actor kNobody({}, storage::Role::kOperator);

class Digest {
 public:
  explicit Digest(const EVP_MD* kind) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), kind, nullptr);
  }
  void Add(std::string_view octets) { EVP_DigestUpdate(context_.get(), octets.data(), octets.size()); }
  std::string Hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    std::string out;
    for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::optional<protocol::UrlPartial> PartialOf(const ReferenceRow& row) {
  if (!row.offset) return std::nullopt;
  return protocol::UrlPartial{*row.offset, row.count};
}

/// Sections of the leaves below `index`, whose own is `at`.
void AddAttachments(const protocol::mime::Parts& parts, std::size_t index, std::vector<std::uint32_t> at,
                    std::vector<Section>& out) {
  const auto& part = parts[index];
  if (part.kind != protocol::mime::PartKind::kMultipart) {
    if (at.empty()) at.push_back(1);
    out.push_back({.part = std::move(at), .kind = Section::Kind::kAll, .fields = {}});
    return;
  }
  std::uint32_t number = 0;
  for (std::size_t child = index + 1; child < index + part.subtree; child += parts[child].subtree) {
    auto below = at;
    below.push_back(++number);
    AddAttachments(parts, child, std::move(below), out);
  }
}

storage::Error At(std::size_t index, storage::Error error) {
  if (error.code == Errc::kUnavailable || error.code == Errc::kCorruption) return error;
  error.detail = fmt::format("references[{}]: {}", index, error.detail);
  return error;
}

}  // namespace

std::string_view Name(Standing standing) {
  switch (standing) {
    case Standing::kGood: return "good";
    case Standing::kExpired: return "expired";
    case Standing::kRevoked: return "revoked";
    case Standing::kUsed: return "used";
    case Standing::kReset: return "reset";
  }
  return "good";
}

std::int64_t ReferenceDesk::Now() const {
  return std::chrono::floor<std::chrono::seconds>(clock_.WallNow()).time_since_epoch().count();
}

Result<std::pair<storage::FolderRef, storage::Uid>> ReferenceDesk::FindObject(storage::AccountId owner,
                                                                              const ObjectName& name) {
  std::optional<storage::FolderStatus> folder;
  if (name.folder) {
    ASSIGN_OR_RETURN(folder, store_.GetFolder(owner, *name.folder));
    if (name.uid_validity && *name.uid_validity != folder->uid_validity)
      return Fail(Errc::kNoSuchMessage, "the UIDVALIDITY is not the folder's");
  }
  std::vector<std::pair<storage::FolderRef, storage::Uid>> found;
  const auto add = [&](storage::FolderRef in, storage::Uid uid) {
    if (!folder || folder->ref == in) found.emplace_back(in, uid);
  };
  if (name.uid) {
    ASSIGN_OR_RETURN(const bool there, store_.IsThere(folder->ref, *name.uid));
    if (there) add(folder->ref, *name.uid);
  } else if (name.imdn_message_id) {
    ASSIGN_OR_RETURN(const auto hits,
                     store_.FindById(owner, storage::IdKind::kImdnMessage, *name.imdn_message_id));
    for (const auto& hit : hits) add({owner, hit.folder}, hit.uid);
  } else {
    std::vector<storage::FolderRef> folders;
    if (folder) {
      folders.push_back(folder->ref);
    } else {
      ASSIGN_OR_RETURN(const auto entries, store_.ListFolders(owner));
      for (const auto& entry : entries)
        if (entry.id.value != 0) folders.push_back({owner, entry.id});
    }
    // There is no index: the rows are read until it is found.
    for (const auto& in : folders) {
      const auto reader = store_.Read(in);
      if (!reader && reader.error().code == Errc::kNoSuchFolder) continue;
      if (!reader) return tl::unexpected<storage::Error>(reader.error());
      const storage::UidSet all(storage::Uid{1}, protocol::kMaxUid);
      RETURN_IF_ERROR(reader->Rows(all, [&](storage::Uid uid, const storage::MessageRow& row) {
        if (row.object == *name.object) add(in, uid);
        return found.empty();
      }));
      if (!found.empty()) break;
    }
  }
  if (found.empty()) return Fail(Errc::kNoSuchMessage, "there is no such message");
  if (found.size() > 1)
    return Fail(Errc::kInvalidArgument,
                "several messages have this IMDN-Message-ID: name the folder and the UID");
  return found.front();
}

Result<std::vector<Section>> ReferenceDesk::Attachments(storage::FolderRef folder, storage::Uid uid) {
  ASSIGN_OR_RETURN(const auto whole, PartReader::Open(store_, {folder, uid, {}, {}, {}}, kNobody));
  if (!whole) return Fail(Errc::kNoSuchMessage, "there is no such message");
  std::vector<Section> leaves;
  AddAttachments(whole->parts(), 0, {}, leaves);
  std::vector<Section> out;
  for (auto& section : leaves) {
    ASSIGN_OR_RETURN(const auto part, PartReader::Open(store_, {folder, uid, section, {}, {}}, kNobody));
    if (!part) return Fail(Errc::kNoSuchMessage, "there is no such message");
    const auto head = part->Head();
    const bool shown =
        head.media_type == "text/plain" && head.disposition != "attachment" && head.name.empty();
    if (!shown && head.media_type != "application/smil") out.push_back(std::move(section));
  }
  return out;
}

Result<ReferenceRow> ReferenceDesk::RowOf(const Wish& wish, storage::AccountId issuer) {
  const std::int64_t now = Now();
  ReferenceRow row;
  row.folder = wish.folder.folder;
  row.uid = wish.uid;
  row.section = protocol::WriteSection(wish.section);
  if (wish.partial) {
    row.offset = wish.partial->offset;
    row.count = wish.partial->count;
  }
  row.issuer = issuer;
  row.kind = wish.kind;
  row.one_time = wish.one_time;
  row.expires = wish.expires.value_or(now + settings_.lifetime.count());
  if (row.expires <= now) return Fail(Errc::kInvalidArgument, "\"expires\" has passed");
  if (row.expires > now + settings_.max_lifetime.count())
    return Fail(Errc::kInvalidArgument,
                fmt::format("\"expires\" is further away than {} seconds", settings_.max_lifetime.count()));
  if (wish.kind == ReferenceAudience::kAnyone && !settings_.urls.anonymous)
    return Fail(Errc::kNotAllowed, "references for anyone are not issued here (urlauth.anonymous)");
  if (wish.kind == ReferenceAudience::kUser) {
    auto address = protocol::cpm::ParseLogin(wish.audience);
    if (!address) return Fail(Errc::kInvalidArgument, "\"audience\" is no address");
    row.audience = *std::move(address);
  }
  return row;
}

/// What the data is; its size goes into the row.
Result<Issued> ReferenceDesk::Describe(const Wish& wish, ReferenceRow& row) {
  MessagePart what{wish.folder, wish.uid, wish.section, wish.partial, {}};
  ASSIGN_OR_RETURN(const auto part, PartReader::Open(store_, what, kNobody));
  if (!part) return Fail(Errc::kNoSuchMessage, "there is no such message");
  Issued out;
  const auto whole = part->DecodedSize();
  const Begun begun = whole ? part->Begin(Form::kDecoded) : Begun::kNoSuchPart;
  if (begun != Begun::kOpen)
    return Fail(Errc::kNoSuchMessage, "the message has no such part, or one whose encoding is unknown");
  row.part_size = *whole;
  out.size = part->size();
  out.head = HeadOf(*part, wish.section);
  std::string sha1;
  if (wish.hash) {
    Digest first(EVP_sha256());
    Digest second(EVP_sha1());
    for (std::string piece; part->left() > 0; piece.clear()) {
      if (!part->Take(piece, kPiece)) return Fail(Errc::kUnavailable, "the message cannot be read");
      first.Add(piece);
      second.Add(piece);
    }
    out.sha256 = first.Hex();
    sha1 = second.Hex();
  }
  out.external_body = std::move(sha1);  // until the URLs are known
  return out;
}

Result<> ReferenceDesk::Sign(const storage::AccountInfo& owner, const Wish& wish, Issued& issued) {
  const Reference& record = issued.record;
  ASSIGN_OR_RETURN(const auto folder, store_.GetFolder(wish.folder));
  ASSIGN_OR_RETURN(const auto key, store_.UrlKey(wish.folder, NewUrlKey()));
  protocol::ImapUrl url;
  url.user = owner.address;
  url.host = settings_.urls.host;
  url.mailbox = folder.path;
  url.uid_validity = folder.uid_validity;
  url.uid = wish.uid;
  if (!record.section.empty()) url.section = wish.section;
  url.partial = wish.partial;
  url.expire = record.expires;
  url.access = AccessOf({record, owner});
  const std::string rump = protocol::WriteImapUrl(url);
  issued.imap_url = rump + ":INTERNAL:" + RecordedUrlToken(key, record.id, rump);
  if (!settings_.base_url.empty())
    issued.url = settings_.base_url + std::string(kPath) + WriteWebToken(key, {record.account, record.id});
  const bool web = wish.web && !issued.url.empty();
  issued.external_body = WriteExternalBody(issued.head, web ? issued.url : issued.imap_url, record.expires,
                                           issued.size, issued.external_body);
  return {};
}

Result<std::vector<Issued>> ReferenceDesk::Issue(const storage::AccountInfo& owner, storage::AccountId issuer,
                                                 const std::vector<Wish>& wishes) {
  std::vector<ReferenceRow> rows;
  std::vector<Issued> out;
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    const Wish& wish = wishes[i];
    if (!MayRead(owner.id, wish.folder)) return Fail(Errc::kNoSuchFolder);
    auto row = RowOf(wish, issuer);
    if (!row) return tl::unexpected(At(i, std::move(row).error()));
    auto described = Describe(wish, *row);
    if (!described) return tl::unexpected(At(i, std::move(described).error()));
    ASSIGN_OR_RETURN(const auto key, store_.UrlKey(wish.folder, NewUrlKey()));
    row->key_check = KeyCheck(key);
    rows.push_back(*std::move(row));
    out.push_back(*std::move(described));
  }
  ASSIGN_OR_RETURN(auto records, store_.AddReferences(owner.id, std::move(rows)));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].record = std::move(records[i]);
    RETURN_IF_ERROR(Sign(owner, wishes[i], out[i]));
  }
  return out;
}

Result<std::optional<Found>> ReferenceDesk::FindByToken(std::string_view token) {
  const std::optional<Found> nothing;
  const auto names = ReadWebToken(token);
  if (!names) return nothing;
  ASSIGN_OR_RETURN(auto record, store_.FindReference(names->account, names->id));
  std::optional<storage::KeyedFolder> keyed;
  if (record) {
    ASSIGN_OR_RETURN(keyed, store_.FindUrlKey(record->folder_ref()));
  }
  static const std::string plausible = NewUrlKey();
  const bool right = IsWebToken(token, keyed ? keyed->key : plausible, *names);
  if (!right || !keyed) return nothing;
  auto owner = store_.GetAccount(names->account);
  if (!owner && owner.error().code != Errc::kNoSuchAccount)
    return tl::unexpected<storage::Error>(owner.error());
  if (!owner || owner->status != storage::AccountStatus::kActive) return nothing;
  return std::optional(Found{*std::move(record), *std::move(owner)});
}

UrlAccess ReferenceDesk::AccessOf(const Found& found) {
  switch (found.record.kind) {
    case ReferenceAudience::kSubmit: return {UrlAccess::Kind::kSubmit, found.owner.address};
    case ReferenceAudience::kUser: return {UrlAccess::Kind::kUser, found.record.audience};
    case ReferenceAudience::kAnyone: return {UrlAccess::Kind::kAnonymous, {}};
  }
  return {UrlAccess::Kind::kSubmit, found.owner.address};
}

Result<bool> ReferenceDesk::IsFor(const Found& found, const Bearer& bearer) {
  return authority_.IsFor(AccessOf(found), found.owner.id, bearer);
}

Result<Standing> ReferenceDesk::StandingOf(const Reference& record) {
  if (record.revoked != 0) return Standing::kRevoked;
  if (record.Expired(Now())) return Standing::kExpired;
  if (record.Used()) return Standing::kUsed;
  ASSIGN_OR_RETURN(const auto keyed, store_.FindUrlKey(record.folder_ref()));
  return keyed && KeyCheck(keyed->key) == record.key_check ? Standing::kGood : Standing::kReset;
}

MessagePart ReferenceDesk::PartOf(const Reference& record) {
  return {record.folder_ref(), record.uid, protocol::ReadSection(record.section).value_or(Section{}),
          PartialOf(record), record.part_size};
}

bool ReferenceDesk::IsOurs(std::string_view url) const {
  if (!settings_.base_url.empty() && url.starts_with(settings_.base_url + std::string(kPath))) return true;
  const auto imap = protocol::ParseImapUrl(url);
  return imap && authority_.IsHere(*imap);
}

Result<std::optional<Named>> ReferenceDesk::Look(std::string_view url, const Bearer& bearer) {
  const std::optional<Named> nothing;
  const std::string web = settings_.base_url + std::string(kPath);
  if (settings_.base_url.empty() || !url.starts_with(web)) return authority_.Look(url, bearer);
  ASSIGN_OR_RETURN(const auto found, FindByToken(url.substr(web.size())));
  if (!found) return nothing;
  ASSIGN_OR_RETURN(const bool is_for, IsFor(*found, bearer));
  ASSIGN_OR_RETURN(const auto standing, StandingOf(found->record));
  if (!is_for || standing != Standing::kGood) return nothing;
  return std::optional(Named{PartOf(found->record), found->owner.id, found->record.id});
}

}  // namespace server::references
