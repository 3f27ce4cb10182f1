#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/model/flags.h"
#include "protocol/model/rights.h"
#include "storage/kv/engine.h"
#include "storage/schema/rows.h"
#include "storage/store/change_feed.h"
#include "storage/store/folder.h"
#include "storage/store/profile.h"

/// Who may do what with a folder (RFC 4314; spec note 3.4): the one place that decides it, asked by every
/// call of the store. storage/README.md says what follows from it. The rules of the CPM model (model_rules.h)
/// stand beside it: what either forbids is refused.
namespace storage {

class AccountTxn;

using protocol::Right;
using protocol::Rights;

/// A folder's access control list, identifiers ascending. Its owner needs no entry: without one all is
/// allowed.
using Acl = std::vector<schema::AclEntry>;

/// Everybody who has logged in. There are no others, so both say the same.
inline constexpr std::string_view kAnyone = "anyone";
inline constexpr std::string_view kAuthenticated = "authenticated";

inline constexpr std::size_t kMaxAclEntries = 128;  ///< of one folder, so that its list is one short row

/// Somebody who acts in accounts of others, by all the names that lists may have for them.
struct Principal {
  /// Of the account that has these addresses.
  Principal(AccountId the_account, std::string_view address, const std::vector<std::string>& aliases);

  AccountId account;
  std::vector<std::string> identifiers;  ///< canonical; kAnyone and kAuthenticated among them
};

/// The canonical form of an identifier that a client names, with its '-' if it has one: kAnyone,
/// kAuthenticated, or an address in any form that a login takes (protocol/cpm/address.h). Whether there is
/// such an account does not matter, and so nobody learns it. kInvalidArgument. `owner`: whose aliases stand
/// for their address.
Result<std::string> CanonicalIdentifier(std::string_view text, const schema::AccountRow& owner);
bool IsNegative(std::string_view identifier);
/// Without the '-'.
std::string_view WhoOf(std::string_view identifier);

/// What the list gives to somebody with these names: what any of them is given, but what any is denied.
Rights Granted(const Acl& acl, const std::vector<std::string>& identifiers);
/// All whom it names, once each.
std::vector<std::string> NamesIn(const Acl& acl);
/// What the list leaves to the owner: `l` and `a` always, so that nobody locks themselves out.
Rights OwnersPart(const Acl& acl, const schema::AccountRow& owner);
inline constexpr Rights kOwnerKeeps = Right::kLookup | Right::kAdminister;

/// The list of a folder; empty if it has none. `Rows` is a kv::View, a kv::Engine or an AccountTxn.
template <class Rows>
Result<Acl> ReadAcl(Rows& rows, FolderRef folder) {
  ASSIGN_OR_RETURN(const auto value,
                   rows.Get(kv::Table::kAcl, schema::FolderKey{folder.account, folder.folder}.Encode()));
  if (!value) return Acl{};
  ASSIGN_OR_RETURN(auto row, schema::AclRow::Decode(*value));
  return std::move(row.entries);
}

/// What anybody but a guest may do. An operator may do all. The network acts for the owner: the list does not
/// keep it from recording, but who else sees a folder is the owner's alone to say.
/// `owner_rights`: FolderRow::owner_rights.
Rights RightsOfHost(const std::optional<Rights>& owner_rights, const Actor& actor);

/// What the actor may do with the folder that has this row. Reads nothing but for guests.
template <class Rows>
Result<Rights> RightsOf(Rows& rows, FolderRef folder, const schema::FolderRow& row, const Actor& actor) {
  if (!actor.guest) return RightsOfHost(row.owner_rights, actor);
  if (!row.owner_rights) return Rights();  // no list
  ASSIGN_OR_RETURN(const Acl acl, ReadAcl(rows, folder));
  return Granted(acl, actor.guest->identifiers);
}

/// A new folder has its superior's list (RFC 4314 §4). (acl.cc)
Result<> InheritAcl(AccountTxn& txn, FolderId parent, FolderId folder, schema::FolderRow& row);
/// A folder that goes takes its list with it. (acl.cc)
Result<> DropAcl(AccountTxn& txn, FolderId folder, const schema::FolderRow& row);

/// Those of them that MYRIGHTS tells: without what the model leaves to nobody there (model::MayEver).
/// (acl.cc)
Result<Rights> ShownRights(const kv::View& view, AccountId account, const schema::FolderRow& row, Rights have,
                           Role role, const Profile& profile);

/// After a change of the list.
Rights RightsAfter(const AclChanged& change, const Actor& actor);

/// OK if they have all that is needed. Else kNoPermission for those who may know that the folder is there
/// (`l`), and for others what they would hear if it were not: kNoSuchFolder (RFC 4314 §6).
Result<> Demand(Rights have, Rights needed);
/// The same where one of them is enough.
Result<> DemandAny(Rights have, Rights any_of);
/// GETMETADATA, SETMETADATA of a folder: `l` and one of `rswip` (RFC 5464 §3.3); to set what others see, `n`
/// too.
Result<> DemandAnnotations(Rights have, bool set_shared);
/// RFC 4314 §4: one is enough for MYRIGHTS.
inline constexpr Rights kAnyForMyRights = Right::kLookup | Right::kRead | Right::kInsert | Right::kCreate |
                                          Right::kDeleteMailbox | Right::kAdminister;
/// SELECT is READ-WRITE with one of these (RFC 4314 §5.2).
inline constexpr Rights kAnyForReadWrite =
    Right::kSeen | Right::kWrite | Right::kInsert | Right::kDeleteMessages | Right::kExpunge;

/// Whose \Seen an actor reads and sets: a guest's own, or (nullopt) the owner's, which whoever acts for the
/// owner shares (storage/schema/seen_page.h).
std::optional<AccountId> ViewerOf(const Actor& actor);
inline constexpr std::uint32_t kSeenBit = protocol::FlagSet::Bit(protocol::SystemFlag::kSeen);
/// A state's system flags as somebody sees them who has seen the message, or has not.
inline std::uint32_t WithSeen(std::uint32_t system, bool seen) {
  return seen ? system | kSeenBit : system & ~kSeenBit;
}

/// Which flags they let somebody change: `s` \Seen, `t` \Deleted, `w` all others; keywords all or none.
FlagBits ChangeableFlags(Rights rights);
/// Those among `flags`.
protocol::FlagSet ChangeableAmong(const protocol::FlagSet& flags, Rights rights);

}  // namespace storage
