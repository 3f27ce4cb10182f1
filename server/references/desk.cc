#include "server/references/desk.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "protocol/cpm/address.h"
#include "protocol/imap/object_id.h"
#include "protocol/imap/url.h"
#include "protocol/model/ascii.h"
#include "server/references/attachments.h"
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
constexpr std::string_view kVerifier = ":INTERNAL:";
constexpr std::uint64_t kPiece = 256 * 1024;

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

storage::Error NoSuchMessage() { return {Errc::kNoSuchMessage, "there is no such message"}; }

/// nullopt: the name has none.
Result<std::optional<storage::FolderRef>> FolderOf(storage::MailStore& store, storage::AccountId owner,
                                                   const ObjectName& name) {
  if (!name.folder) return std::optional<storage::FolderRef>{};
  ASSIGN_OR_RETURN(const auto folder, store.GetFolder(owner, *name.folder));
  if (name.uid_validity && *name.uid_validity != folder.uid_validity)
    return Fail(Errc::kNoSuchMessage, "the UIDVALIDITY is not the folder's");
  return std::optional(folder.ref);
}

/// By UID or IMDN-Message-ID.
Result<Place> FindByIndex(storage::MailStore& store, storage::AccountId owner, const ObjectName& name,
                          const std::optional<storage::FolderRef>& folder) {
  if (name.uid && folder) {
    ASSIGN_OR_RETURN(const bool there, store.IsThere(*folder, *name.uid));
    if (!there) return tl::unexpected(NoSuchMessage());
    return Place(*folder, *name.uid);
  }
  std::vector<Place> found;
  ASSIGN_OR_RETURN(const auto hits,
                   store.FindById(owner, storage::IdKind::kImdnMessage, name.imdn_message_id.value_or("")));
  for (const auto& hit : hits) {
    const storage::FolderRef in{owner, hit.folder};
    if (!folder || *folder == in) found.emplace_back(in, hit.uid);
  }
  if (found.empty()) return tl::unexpected(NoSuchMessage());
  if (found.size() > 1)
    return Fail(Errc::kInvalidArgument,
                "several messages have this IMDN-Message-ID: name the folder and the UID");
  return found.front();
}

/// RFC 2046 §5.2.3: what is without the data has a Content-ID all the same. It tells apart what differs, and
/// is the same for the same.
std::string MadeContentId(storage::ObjectId object, const ReferenceRow& row, std::string_view host) {
  std::string left;
  protocol::AppendEmailId(left, object);
  if (!row.section.empty()) left += "." + row.section;
  if (row.offset) left += fmt::format(".{}-{}", *row.offset, row.count ? std::to_string(*row.count) : "end");
  const auto odd = [](char c) {
    return c != '.' && c != '-' && !protocol::ascii::IsAlpha(c) && !protocol::ascii::IsDigit(c);
  };
  std::ranges::replace_if(left, odd, '_');
  return fmt::format("<{}@{}>", left, host);
}

/// Of a URL that may be broken behind it, in one spelling (RFC 3986 §6.2.2.1, §6.2.3).
struct Origin {
  std::string scheme;
  std::string host;       ///< with its port, if that is not the scheme's
  std::string_view path;  ///< and all that follows
};
std::optional<Origin> OriginOf(std::string_view url) {
  constexpr std::string_view kBehindScheme = "://";
  const auto colon = url.find(kBehindScheme);
  if (colon == std::string_view::npos) return std::nullopt;
  auto scheme = protocol::ascii::Lower(url.substr(0, colon));
  url.remove_prefix(colon + kBehindScheme.size());
  auto authority = url.substr(0, url.find_first_of("/?#"));
  url.remove_prefix(authority.size());
  authority.remove_prefix(authority.rfind('@') + 1);  // npos: 0
  const std::string_view port = scheme == "https" ? ":443" : scheme == "http" ? ":80" : "";
  if (authority.ends_with(port)) authority.remove_suffix(port.size());
  return Origin{std::move(scheme), protocol::ascii::Lower(authority), url};
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

storage::Error At(std::string_view place, storage::Error error) {
  if (error.code == Errc::kUnavailable || error.code == Errc::kCorruption) return error;
  error.detail = fmt::format("{}: {}", place, error.detail);
  return error;
}

storage::Error AtReference(std::size_t index, storage::Error error) {
  return At(fmt::format("references[{}]", index), std::move(error));
}

Result<bool> IsOpen(Begun begun) {
  switch (begun) {
    case Begun::kOpen: return true;
    case Begun::kNoSuchPart:
    case Begun::kUnknownEncoding: return false;
    case Begun::kUnreadable: break;
  }
  return Fail(Errc::kUnavailable, "the message cannot be read");
}

std::int64_t ReferenceDesk::Now() const {
  return std::chrono::floor<std::chrono::seconds>(clock_.WallNow()).time_since_epoch().count();
}

Result<std::vector<Place>> ReferenceDesk::FindObjects(storage::AccountId owner,
                                                      const std::vector<ObjectName>& names) {
  std::vector<Place> out(names.size());  // UID 0: not found yet
  std::multimap<storage::ObjectId, Sought> sought;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto folder = FolderOf(store_, owner, names[i]);
    if (!folder) return tl::unexpected(AtReference(i, folder.error()));
    if (names[i].object) {
      sought.emplace(*names[i].object, Sought{i, *folder});
      continue;
    }
    auto found = FindByIndex(store_, owner, names[i], *folder);
    if (!found) return tl::unexpected(AtReference(i, std::move(found).error()));
    out[i] = *found;
  }
  RETURN_IF_ERROR(FindByObject(owner, sought, out));
  for (std::size_t i = 0; i < names.size(); ++i)
    if (out[i].second.value == 0) return tl::unexpected(AtReference(i, NoSuchMessage()));
  return out;
}

/// There is no index: the rows are read until all are found.
Result<> ReferenceDesk::FindByObject(storage::AccountId owner,
                                     const std::multimap<storage::ObjectId, Sought>& sought,
                                     std::vector<Place>& out) {
  if (sought.empty()) return {};
  const auto is_for = [](const Sought& one, storage::FolderRef in) {
    return !one.folder || *one.folder == in;
  };
  std::size_t left = sought.size();
  ASSIGN_OR_RETURN(const auto entries, store_.ListFolders(owner));
  for (const auto& entry : entries) {
    const storage::FolderRef in{owner, entry.id};
    if (left == 0) break;
    if (entry.id.value == 0 ||
        std::ranges::none_of(sought, [&](const auto& one) { return is_for(one.second, in); }))
      continue;
    const auto reader = store_.Read(in);
    if (!reader && (reader.error().code == Errc::kNoSuchFolder || reader.error().code == Errc::kNoPermission))
      continue;
    if (!reader) return tl::unexpected<storage::Error>(reader.error());
    const storage::UidSet all(storage::Uid{1}, protocol::kMaxUid);
    RETURN_IF_ERROR(reader->Rows(all, [&](storage::Uid uid, const storage::MessageRow& row) {
      const auto [first, end] = sought.equal_range(row.object);
      for (auto one = first; one != end; ++one) {
        auto& place = out[one->second.index];
        if (place.second.value != 0 || !is_for(one->second, in)) continue;
        place = {in, uid};
        --left;
      }
      return left > 0;
    }));
  }
  return {};
}

Result<std::vector<Attachment>> ReferenceDesk::Attachments(storage::FolderRef folder, storage::Uid uid) {
  const MessagePart message{folder, uid, {}, {}, {}};
  ASSIGN_OR_RETURN(const auto whole, PartReader::Open(store_, message));
  if (!whole) return tl::unexpected(NoSuchMessage());
  return FindAttachments(message, *whole, [this](std::uint64_t octets) { return Decode(octets); });
}

Result<> ReferenceDesk::Decode(std::uint64_t octets) {
  if (octets > settings_.decode_limit - std::min(work_.decoded, settings_.decode_limit))
    return Fail(Errc::kTooBig, fmt::format("one call decodes at most {} octets: ask for fewer at once",
                                           settings_.decode_limit));
  work_.decoded += octets;
  return {};
}

Result<> ReferenceDesk::Hash(std::uint64_t octets) {
  if (octets > settings_.hash_limit - std::min(work_.hashed, settings_.hash_limit))
    return Fail(Errc::kTooBig, fmt::format("one call hashes at most {} octets: ask for fewer at once, or "
                                           "without \"hash\"",
                                           settings_.hash_limit));
  work_.hashed += octets;
  return {};
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

/// With its size counted.
Result<std::unique_ptr<PartReader>> ReferenceDesk::Open(const Wish& wish) {
  const auto partial = wish.partial.value_or(protocol::UrlPartial{});
  const auto section = protocol::WriteSection(wish.section);
  const Work::PartName whole_name{wish.folder, wish.uid, section, 0, 0};
  const Work::PartName extent{wish.folder, wish.uid, section, partial.offset, partial.count.value_or(0)};
  auto& cpim = work_.cpims[whole_name];
  if (wish.inside) cpim = wish.inside;
  MessagePart what{wish.folder, wish.uid, wish.section, wish.partial, {}};
  auto& sizes = work_.decoded_sizes;
  const auto counted = sizes.find(sizes.contains(extent) ? extent : whole_name);
  if (counted != sizes.end()) what.decoded_size = counted->second;
  ASSIGN_OR_RETURN(auto part, PartReader::Open(store_, what, cpim));
  if (!part) return tl::unexpected(NoSuchMessage());
  if (part->looked_into() && part->looked_into() != cpim) {
    cpim = part->looked_into();
    RETURN_IF_ERROR(Decode(cpim->entity.length));
  }
  // Each fetch would decode as much once more, before its first octet.
  if (part->Decodes() && !part->inside() && partial.offset > kMaxSkipped)
    return Fail(
        Errc::kNotAllowed,
        fmt::format("\"offset\" is beyond the first {} octets of a part that has a transfer encoding: "
                    "name the part, and fetch a range of it",
                    kMaxSkipped));
  RETURN_IF_ERROR(Decode(part->ToDecode()));
  const auto size = part->DecodedSize();
  if (!size) {
    RETURN_IF_ERROR(IsOpen(part->Begin(Form::kDecoded)));
    return Fail(Errc::kNoSuchMessage, "the message has no such part, or one whose encoding is unknown");
  }
  sizes[part->inside() ? extent : whole_name] = *size;
  return std::move(part);
}

Result<std::uint64_t> ReferenceDesk::SizeOf(const Wish& wish) {
  ASSIGN_OR_RETURN(const auto part, Open(wish));
  return part->known_decoded_size().value_or(0);
}

/// What the data is; its size goes into the row.
Result<Issued> ReferenceDesk::Describe(const Wish& wish, ReferenceRow& row) {
  ASSIGN_OR_RETURN(const auto part, Open(wish));
  Issued out;
  ASSIGN_OR_RETURN(const bool open, IsOpen(part->Begin(Form::kDecoded)));
  if (!open) return tl::unexpected(NoSuchMessage());
  row.part_size = part->known_decoded_size().value_or(0);
  out.size = part->size();
  out.head = HeadOf(*part, wish.section);
  if (out.head.id.empty()) out.head.id = MadeContentId(part->object(), row, settings_.urls.host);
  std::string sha1;
  if (wish.hash) {
    RETURN_IF_ERROR(Hash(out.size));
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

Result<std::string> ReferenceDesk::RumpOf(const storage::AccountInfo& owner, const Wish& wish,
                                          std::int64_t expires, const UrlAccess& access) {
  ASSIGN_OR_RETURN(const auto folder, store_.GetFolder(wish.folder));
  protocol::ImapUrl url;
  url.user = owner.address;
  url.host = settings_.urls.host;
  url.mailbox = folder.path;
  url.uid_validity = folder.uid_validity;
  url.uid = wish.uid;
  if (wish.section != Section{}) url.section = wish.section;
  url.partial = wish.partial;
  url.expire = expires;
  url.access = access;
  std::string rump = protocol::WriteImapUrl(url);
  const auto back = protocol::ParseImapUrl(rump + std::string(kVerifier) + RecordedUrlToken({}, 0, {}));
  if (!back || back->section != url.section)
    return Fail(Errc::kInvalidArgument,
                "no URL can say what \"part\" does: name fewer fields, and by their names");
  return rump;
}

void ReferenceDesk::Sign(const Wish& wish, std::string_view key, const std::string& rump, Issued& issued) {
  const Reference& record = issued.record;
  issued.imap_url = rump + std::string(kVerifier) + RecordedUrlToken(key, record.id, rump);
  if (!settings_.base_url.empty())
    issued.url = settings_.base_url + std::string(kPath) + WriteWebToken(key, {record.account, record.id});
  const bool web = wish.web && !issued.url.empty();
  issued.external_body = WriteExternalBody(issued.head, web ? issued.url : issued.imap_url, record.expires,
                                           issued.size, issued.external_body);
}

Result<std::vector<Issued>> ReferenceDesk::Issue(const storage::AccountInfo& owner, storage::AccountId issuer,
                                                 const std::vector<Wish>& wishes) {
  std::vector<ReferenceRow> rows;
  std::vector<Issued> out;
  std::vector<std::string> keys;
  std::vector<std::string> rumps;
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    const Wish& wish = wishes[i];
    auto row = RowOf(wish, issuer);
    if (!row) return tl::unexpected(AtReference(i, std::move(row).error()));
    auto rump = RumpOf(owner, wish, row->expires, AccessOf({Reference{*row}, owner}));
    if (!rump) return tl::unexpected(AtReference(i, std::move(rump).error()));
    auto described = Describe(wish, *row);
    if (!described) return tl::unexpected(AtReference(i, std::move(described).error()));
    ASSIGN_OR_RETURN(auto key, UrlKeyOf(store_, wish.folder));
    row->key_check = KeyCheck(key);
    rows.push_back(*std::move(row));
    out.push_back(*std::move(described));
    keys.push_back(std::move(key));
    rumps.push_back(*std::move(rump));
  }
  // Once they are on record nothing may go wrong any more.
  ASSIGN_OR_RETURN(auto records, store_.AddReferences(owner.id, std::move(rows)));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].record = std::move(records[i]);
    Sign(wishes[i], keys[i], rumps[i], out[i]);
  }
  return out;
}

Result<std::optional<Found>> ReferenceDesk::FindByToken(std::string_view token) {
  const std::optional<Found> nothing;
  const auto names = ReadWebToken(token);
  if (!names) return nothing;
  ASSIGN_OR_RETURN(auto record, store_.FindReference(names->account, names->id));
  // Of none as much is read as of one.
  const storage::FolderRef folder = record ? record->folder_ref() : storage::FolderRef{names->account, {}};
  ASSIGN_OR_RETURN(auto keyed, store_.FindUrlKey(folder));
  if (!record) keyed.reset();
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
  return authority_.IsFor(AccessOf(found), bearer);
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
  const auto its = OriginOf(url);
  if (!its) return false;
  if (its->scheme == "imap") {
    protocol::ImapUrl somewhere;
    somewhere.host = its->host;
    return authority_.IsHere(somewhere);
  }
  const auto own = OriginOf(settings_.base_url);
  return own && its->scheme == own->scheme && its->host == own->host && its->path.starts_with(own->path);
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
