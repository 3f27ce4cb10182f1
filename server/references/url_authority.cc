#include "server/references/url_authority.h"

#include <algorithm>
#include <map>

#include "protocol/cpm/address.h"
#include "protocol/model/ascii.h"
#include "server/references/rights.h"
#include "server/references/url_token.h"

namespace server::references {
namespace {

using protocol::ImapUrl;
using protocol::UrlAccess;
using storage::Result;
using Kind = UrlAccess::Kind;
using Authorised = UrlAuthority::Authorised;

constexpr std::string_view kInternal = "INTERNAL";

Authorised Refused(std::string_view why) { return {{}, std::string(why)}; }

}  // namespace

MessagePart PartOf(const ImapUrl& url, storage::FolderRef folder) {
  return {folder, url.uid, url.section.value_or(protocol::Section{}), url.partial, std::nullopt};
}

bool UrlAuthority::IsHere(const ImapUrl& url) const {
  std::string_view host = url.host;
  if (!host.ends_with(']')) host = host.substr(0, host.rfind(':'));
  return protocol::ascii::EqualNoCase(host, policy_.host);
}

std::int64_t UrlAuthority::Now() const {
  return std::chrono::floor<std::chrono::seconds>(clock_.WallNow()).time_since_epoch().count();
}

/// Whose keys authorise the URL; nullopt: nobody's who is there.
Result<std::optional<storage::AccountInfo>> UrlAuthority::OwnerOf(const ImapUrl& url) {
  const auto address = protocol::cpm::ParseLogin(url.user);
  if (!address) return std::optional<storage::AccountInfo>{};
  ASSIGN_OR_RETURN(auto account, store_.FindAccount(*address));
  if (!account) static_cast<void>(store_.GetAccount(storage::AccountId{}));  // as long as of one who is there
  if (account && account->status != storage::AccountStatus::kActive) account.reset();
  return account;
}

/// Why the message cannot be referred to; empty: it can.
Result<std::string> UrlAuthority::CheckMessage(const ImapUrl& url, const storage::FolderStatus& folder) {
  if (url.uid_validity && *url.uid_validity != folder.uid_validity)
    return std::string("the UIDVALIDITY in the URL is not the mailbox's");
  ASSIGN_OR_RETURN(const auto reader, store_.Read(folder.ref));
  bool there = false;
  RETURN_IF_ERROR(reader.States(storage::UidSet(url.uid, url.uid), [&](const auto&) { there = true; }));
  return std::string(there ? "" : "there is no message with the UID in the URL");
}

Result<Authorised> UrlAuthority::Authorise(std::string_view rump, const Bearer& bearer) {
  const auto url = protocol::ParseImapUrl(rump);
  if (!url) return Refused("the URL is wrong: expected " + std::string(url.error()));
  if (url->host.empty() || url->user.empty()) return Refused("missing owner username in supplied URL");
  if (!url->access) return Refused("missing access identifier in supplied URL");
  if (url->verifier) return Refused("the supplied URL is authorized already");
  if ((url->access->kind == Kind::kAuthUser && !policy_.authuser) ||
      (url->access->kind == Kind::kAnonymous && !policy_.anonymous))
    return Refused("this server authorizes URLs for submit+ and user+ only");
  if (!IsHere(*url)) return Refused("the supplied URL is of another server: this one is " + policy_.host);
  ASSIGN_OR_RETURN(const auto owner, OwnerOf(*url));
  // The same words whether or not there is such a user.
  if (!owner || owner->id != bearer.account) return Refused("the owner in the supplied URL is not you");
  const auto folder = store_.GetFolder(owner->id, url->mailbox);
  if (!folder && folder.error().code == storage::Errc::kNoSuchFolder)
    return Refused("no such mailbox as in the supplied URL");
  if (!folder) return tl::unexpected<storage::Error>(folder.error());
  ASSIGN_OR_RETURN(const auto fault, CheckMessage(*url, *folder));
  if (!fault.empty()) return Refused(fault);
  ASSIGN_OR_RETURN(const auto key, UrlKeyOf(store_, folder->ref));
  std::string full(rump);
  full += ':';
  full += kInternal;
  full += ':';
  return Authorised{full + UrlToken(key, rump), {}};
}

Result<bool> UrlAuthority::IsUser(std::string_view name, storage::AccountId account, const Known& known) {
  if (!known.name.empty() && name == known.name) return account == known.account;
  const auto address = protocol::cpm::ParseLogin(name);
  if (!address) return false;
  ASSIGN_OR_RETURN(const auto found, store_.FindAccount(*address));
  return found && found->id == account;
}

Result<bool> UrlAuthority::IsFor(const UrlAccess& access, const Bearer& bearer) {
  return IsFor(access, bearer, {});
}

Result<bool> UrlAuthority::IsFor(const UrlAccess& access, const Bearer& bearer, const Known& known) {
  const bool submits = bearer.role == storage::Role::kSubmit;
  switch (access.kind) {
    // The user is who submits. Submission has looked at that, by URLFETCH it does not even say who; a PF that
    // acts for a user submits for that user.
    case Kind::kSubmit:
      if (submits && !bearer.sender) return true;
      if (!submits && bearer.role != storage::Role::kPf) return false;
      return IsUser(access.user, submits ? *bearer.sender : bearer.account, known);
    case Kind::kUser: return submits ? false : IsUser(access.user, bearer.account, known);
    case Kind::kAuthUser: return policy_.authuser;
    case Kind::kAnonymous: return policy_.anonymous;
  }
  return false;
}

Result<bool> UrlAuthority::NoteFetch(const Named& named) {
  if (!named.recorded && !named.accessed_by) return true;
  ASSIGN_OR_RETURN(const auto fallen, NoteFetches({named}));
  return !fallen;
}

namespace {

std::map<storage::AccountId, std::vector<std::uint64_t>> RecordedOf(const std::vector<Named>& all) {
  std::map<storage::AccountId, std::vector<std::uint64_t>> out;
  for (const auto& named : all)
    if (named.recorded) out[named.owner].push_back(*named.recorded);
  return out;
}

}  // namespace

Result<Fallen> UrlAuthority::NoteFetches(const std::vector<Named>& all) {
  const auto fallen = CountFetches(all);
  if (!fallen && fallen.error().code == storage::Errc::kUnavailable) {
    ASSIGN_OR_RETURN(const auto uncounted, StandUncounted(all));
    return uncounted ? uncounted : NoteAccess(all);
  }
  if (!fallen || *fallen) return fallen;
  const auto accessed = NoteAccess(all);
  if (!accessed || *accessed) static_cast<void>(TakeBackFetches(all));
  return accessed;
}

Result<Fallen> UrlAuthority::NoteAccess(const std::vector<Named>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].accessed_by) continue;
    const auto& part = all[i].part;
    const auto noted =
        store_.NoteAccess(part.folder, storage::UidSet(part.uid, part.uid), *all[i].accessed_by);
    if (!noted && IsAbsence(noted.error())) return Fallen(i);
    RETURN_IF_ERROR(noted);
  }
  return Fallen();
}

/// kUnavailable: one is for one time, and has to be counted.
Result<Fallen> UrlAuthority::StandUncounted(const std::vector<Named>& all) {
  const auto now = Now();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].recorded) continue;
    ASSIGN_OR_RETURN(const auto record, store_.FindReference(all[i].owner, *all[i].recorded));
    if (!record || !record->Stands(now)) return Fallen(i);
    if (record->one_time) return storage::Fail(storage::Errc::kUnavailable, "the store takes no writes");
  }
  return Fallen();
}

Result<Fallen> UrlAuthority::CountFetches(const std::vector<Named>& all) {
  const auto of = RecordedOf(all);
  const auto find = [&](storage::AccountId owner, std::uint64_t id) {
    const auto is_it = [&](const Named& named) { return named.owner == owner && named.recorded == id; };
    return static_cast<std::size_t>(std::ranges::find_if(all, is_it) - all.begin());
  };
  // An account's are one change. Those of the accounts before are taken back if another's are not to be had.
  for (auto at = of.begin(); at != of.end(); ++at) {
    auto fallen = store_.NoteFetches(at->first, at->second);
    if (!fallen && IsAbsence(fallen.error())) fallen = at->second.front();
    if (fallen && !*fallen) continue;
    for (auto before = of.begin(); before != at; ++before)
      RETURN_IF_ERROR(TakeBack(before->first, before->second));
    RETURN_IF_ERROR(fallen);
    return Fallen(find(at->first, **fallen));
  }
  return Fallen();
}

Result<> UrlAuthority::TakeBack(storage::AccountId owner, const std::vector<std::uint64_t>& ids) {
  auto done = store_.TakeBackFetches(owner, ids);
  return !done && IsAbsence(done.error()) ? Result<>() : done;
}

Result<> UrlAuthority::TakeBackFetches(const std::vector<Named>& all) {
  for (const auto& [owner, ids] : RecordedOf(all)) RETURN_IF_ERROR(TakeBack(owner, ids));
  return {};
}

Result<std::optional<Named>> UrlAuthority::Look(std::string_view text, const Bearer& bearer) {
  const std::optional<Named> nothing;
  const auto url = protocol::ParseImapUrl(text);
  if (!url || !url->access || !url->verifier) return nothing;
  ASSIGN_OR_RETURN(const auto owner, OwnerOf(*url));
  const std::string_view rump = RumpOf(text, *url);
  const auto recorded = RecordedIn(url->verifier->token);
  const auto is_token = [&](std::string_view key) {
    return recorded ? IsRecordedUrlToken(url->verifier->token, key, *recorded, rump)
                    : IsUrlToken(url->verifier->token, key, rump);
  };
  std::optional<storage::KeyedFolder> found;
  bool any = false;
  const auto try_key = [&](const storage::KeyedFolder& folder) {
    any = true;
    if (is_token(folder.key)) found = folder;
    return !found;
  };
  // RFC 4467 §6: who probes for users and mailboxes learns nothing from the time it takes.
  if (IsHere(*url) && protocol::ascii::EqualNoCase(url->verifier->mechanism, kInternal))
    RETURN_IF_ERROR(store_.FindKeyed(owner ? owner->id : storage::AccountId{}, url->mailbox, try_key));
  if (!any) {
    static const std::string plausible = NewUrlKey();
    static_cast<void>(is_token(plausible));
  }
  if (!found) return nothing;
  if (url->uid_validity && *url->uid_validity != found->uid_validity) return nothing;
  const auto now = Now();
  if (url->expire && now > *url->expire) return nothing;
  // The owner's right "r" is asked by the store, when it is read.
  ASSIGN_OR_RETURN(const bool is_for, IsFor(*url->access, bearer, {url->user, owner->id}));
  if (!is_for) return nothing;
  Named named{PartOf(*url, found->ref), owner->id, recorded};
  if (recorded) {
    ASSIGN_OR_RETURN(const auto record, store_.FindReference(owner->id, *recorded));
    if (!record || !record->Stands(now)) return nothing;
    named.part.decoded_size = record->part_size;
  }
  return std::optional(std::move(named));
}

Result<bool> UrlAuthority::IsOwn(const ImapUrl& url, storage::AccountId account) {
  if (url.host.empty()) return true;
  if (!IsHere(url)) return false;
  return IsUser(url.user, account, {});
}

}  // namespace server::references
