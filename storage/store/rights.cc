#include "storage/store/rights.h"

#include <algorithm>

#include <fmt/format.h>

#include "protocol/cpm/address.h"
#include "protocol/model/ascii.h"

namespace storage {
namespace {

using protocol::SystemFlag;

bool Has(const std::vector<std::string>& identifiers, std::string_view who) {
  return std::ranges::find(identifiers, who) != identifiers.end();
}

std::vector<std::string> NamesOf(std::string_view address, const std::vector<std::string>& aliases) {
  std::vector<std::string> names{std::string(address), std::string(kAnyone), std::string(kAuthenticated)};
  names.insert(names.end(), aliases.begin(), aliases.end());
  return names;
}

/// What a right is for, for the sentence that says it is missing.
std::string_view Purpose(Right right) {
  switch (right) {
    case Right::kLookup: return "to see it";
    case Right::kRead: return "to read it";
    case Right::kSeen: return "to change \\Seen";
    case Right::kWrite: return "to change flags";
    case Right::kInsert: return "to put messages into it";
    case Right::kPost: return "to send mail to it";
    case Right::kCreate: return "to create mailboxes below it";
    case Right::kDeleteMailbox: return "to delete or rename it";
    case Right::kDeleteMessages: return "to change \\Deleted";
    case Right::kExpunge: return "to expunge messages";
    case Right::kAdminister: return "to see or change who has which rights";
    case Right::kAnnotate: return "to set entries that others see";
  }
  return "";
}

tl::unexpected<Error> Missing(Rights have, Rights missing) {
  if (!have.Has(Right::kLookup)) return Fail(Errc::kNoSuchFolder);
  for (int i = 0; i < protocol::kRightCount; ++i) {
    const auto right = static_cast<Right>(i);
    if (!missing.Has(right)) continue;
    return Fail(Errc::kNoPermission, fmt::format("You lack the right \"{}\" on this mailbox, {}",
                                                 protocol::Letter(right), Purpose(right)));
  }
  return Fail(Errc::kNoPermission, "You lack a right on this mailbox");
}

}  // namespace

Principal::Principal(AccountId the_account, std::string_view address, const std::vector<std::string>& aliases)
    : account(the_account), identifiers(NamesOf(address, aliases)) {}

bool IsNegative(std::string_view identifier) { return identifier.starts_with('-'); }

std::string_view WhoOf(std::string_view identifier) {
  return identifier.substr(IsNegative(identifier) ? 1 : 0);
}

Result<std::string> CanonicalIdentifier(std::string_view text, const schema::AccountRow& owner) {
  const std::string_view who = WhoOf(text);
  const std::string sign(IsNegative(text) ? "-" : "");
  for (const std::string_view everybody : {kAnyone, kAuthenticated}) {
    if (protocol::ascii::EqualNoCase(who, everybody)) return sign + std::string(everybody);
  }
  const auto address = protocol::cpm::ParseLogin(who);
  if (!address) {
    return Fail(Errc::kInvalidArgument,
                "An identifier is an address (\"tel:+15550100222\", \"sip:bea@example.com\"), \"anyone\" or "
                "\"authenticated\", with \"-\" before it for rights that are denied");
  }
  if (std::ranges::find(owner.aliases, *address) != owner.aliases.end()) return sign + owner.address;
  return sign + *address;
}

Rights Granted(const Acl& acl, const std::vector<std::string>& identifiers) {
  Rights granted;
  Rights denied;
  for (const auto& entry : acl) {
    if (!Has(identifiers, WhoOf(entry.identifier))) continue;
    Rights& into = IsNegative(entry.identifier) ? denied : granted;
    into = into | entry.rights;
  }
  return granted - denied;
}

std::vector<std::string> NamesIn(const Acl& acl) {
  std::vector<std::string> names;
  for (const auto& entry : acl) {
    if (std::string who(WhoOf(entry.identifier)); !Has(names, who)) names.push_back(std::move(who));
  }
  return names;
}

Rights OwnersPart(const Acl& acl, const schema::AccountRow& owner) {
  Acl theirs = acl;
  if (std::ranges::find(acl, owner.address, &schema::AclEntry::identifier) == acl.end())
    theirs.push_back({owner.address, Rights::All()});
  return Granted(theirs, NamesOf(owner.address, owner.aliases)) | kOwnerKeeps;
}

Rights RightsOfHost(const std::optional<Rights>& owner_rights, const Actor& actor) {
  switch (actor.role) {
    case Role::kOperator: return Rights::All();
    case Role::kPf: return Rights::All() - Right::kAdminister;
    case Role::kUser:
    case Role::kSubmit: break;
  }
  return owner_rights.value_or(Rights::All());
}

Rights RightsAfter(const AclChanged& change, const Actor& actor) {
  if (actor.guest) return Granted(*change.acl, actor.guest->identifiers);
  return RightsOfHost(change.owner_rights, actor);
}

Result<> Demand(Rights have, Rights needed) {
  if (have.HasAll(needed)) return {};
  return Missing(have, needed - have);
}

Result<> DemandAny(Rights have, Rights any_of) {
  if (have.HasAny(any_of)) return {};
  return Missing(have, any_of);
}

Result<> DemandAnnotations(Rights have, bool set_shared) {
  RETURN_IF_ERROR(Demand(have, Right::kLookup));
  RETURN_IF_ERROR(
      DemandAny(have, Right::kRead | Right::kSeen | Right::kWrite | Right::kInsert | Right::kPost));
  if (!set_shared) return {};
  return Demand(have, Right::kAnnotate);
}

std::optional<AccountId> ViewerOf(const Actor& actor) {
  return actor.guest ? std::optional(actor.guest->account) : std::nullopt;
}

FlagBits ChangeableFlags(Rights rights) {
  using protocol::FlagSet;
  constexpr std::uint32_t kSeen = FlagSet::Bit(SystemFlag::kSeen);
  constexpr std::uint32_t kDeleted = FlagSet::Bit(SystemFlag::kDeleted);
  FlagBits out;
  if (rights.Has(Right::kWrite)) out = {~(kSeen | kDeleted), ~std::uint64_t{0}};
  if (rights.Has(Right::kSeen)) out.system |= kSeen;
  if (rights.Has(Right::kDeleteMessages)) out.system |= kDeleted;
  return out;
}

protocol::FlagSet ChangeableAmong(const protocol::FlagSet& flags, Rights rights) {
  if (rights.HasAll(Right::kSeen | Right::kWrite | Right::kDeleteMessages)) return flags;
  const FlagBits changeable = ChangeableFlags(rights);
  protocol::FlagSet out;
  for (int i = 0; i < protocol::kSystemFlagCount; ++i) {
    const auto flag = static_cast<SystemFlag>(i);
    if (flags.Contains(flag) && changeable.Has(flag)) out.Insert(flag);
  }
  if (changeable.keywords == 0) return out;
  for (const auto& keyword : flags.keywords()) out.Insert(std::string_view(keyword));
  return out;
}

}  // namespace storage
