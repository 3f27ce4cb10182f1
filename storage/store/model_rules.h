#pragma once

#include <string_view>

#include "protocol/model/object_kind.h"
#include "protocol/model/rights.h"
#include "storage/error.h"
#include "storage/store/account.h"
#include "storage/store/folder.h"
#include "storage/store/profile.h"

/// The rules of the CPM storage model: which folder may lie where, what may be written where, what may be
/// moved (spec note 1.1, 1.3 and 1.4). Every operation of the store asks here, and nowhere else; the answer
/// is OK, kNotAllowed (nobody may) or kNoPermission (this role may not), with the rule as a sentence for the
/// client. Pure functions: storage/README.md has them as a table.
namespace storage::model {

using protocol::ObjectKind;

/// All that the rules need to know of a folder. As it is made, that of a name at the top, which has no
/// superior.
struct Place {
  FolderKind kind = FolderKind::kUser;
  bool one_to_one = false;  ///< a conversation with one peer
  bool in_default = false;  ///< the default folder, or below it
  bool in_root = false;     ///< the permanent root, or below it
};

/// Who asks, and under which profile.
struct Asker {
  Role role = Role::kUser;
  const Profile& profile;
  /// The network's elements and the operator; everybody else is a client.
  bool IsClient() const { return role != Role::kPf && role != Role::kOperator; }
};

/// Of a conversation folder's `conversation_id`: an address is a peer's, anything else a group's.
bool IsOneToOne(std::string_view identity);

/// True if a folder of kind `inferior` may lie directly in one of kind `superior`.
bool MayHold(FolderKind superior, FolderKind inferior);
/// What a folder is that is made by its name alone, directly in one of kind `superior`.
FolderKind KindBelow(FolderKind superior);

/// What is not forbidden to everybody there, or to such an asker, whatever a list gives: what MYRIGHTS tells,
/// so that a client does not offer what is refused. What is asked of the rules below says why.
protocol::Rights MayEver(const Place& place, const Asker& asker);

/// CREATE, and superiors that a CREATE or RENAME makes.
Result<> MayCreate(FolderKind kind, const Place& superior, const Asker& asker);
Result<> MayDelete(FolderKind kind);
/// RENAME of a folder with all its inferiors. `in_place`: both superiors are the same folder.
Result<> MayRename(FolderKind kind, const Place& to_superior, bool in_place, const Asker& asker);
/// RENAME of a folder that has an inferior of this kind.
Result<> MayFollow(FolderKind inferior);

/// APPEND.
Result<> MayAppend(ObjectKind object, const Place& target, const Asker& asker);
/// COPY: from anywhere to where the object might have been appended.
Result<> MayCopy(ObjectKind object, const Place& target, const Asker& asker);
/// MOVE of an object (RFC 6851).
Result<> MayMove(ObjectKind object, FolderKind source, const Place& target, const Asker& asker);

}  // namespace storage::model
