#include "storage/store/model_rules.h"

#include <fmt/format.h>

#include "protocol/cpm/address.h"

namespace storage::model {
namespace {

tl::unexpected<Error> Cannot(std::string_view rule) { return Fail(Errc::kNotAllowed, std::string(rule)); }
tl::unexpected<Error> NotYou(std::string_view rule) { return Fail(Errc::kNoPermission, std::string(rule)); }

constexpr std::string_view kConversationsOnly =
    "The default folder holds conversation folders and nothing else";
constexpr std::string_view kSessionsOnly = "A conversation folder holds session folders and no other folder";
constexpr std::string_view kNoInferiors = "A session folder has no folders below it";
constexpr std::string_view kOneToOne =
    "A conversation with one peer has no session folders: its sessions lie in the conversation folder itself";
constexpr std::string_view kFixedDefault = "The default folder cannot be renamed, moved or deleted";
constexpr std::string_view kFixedRoot = "The folder of what is kept cannot be renamed, moved or deleted";

/// The sentence for what MayHold() denies.
tl::unexpected<Error> NotThere(FolderKind superior) {
  switch (superior) {
    case FolderKind::kDefault: return Cannot(kConversationsOnly);
    case FolderKind::kConversation: return Cannot(kSessionsOnly);
    case FolderKind::kSession: return Cannot(kNoInferiors);
    case FolderKind::kUser:
    case FolderKind::kInbox:
    case FolderKind::kRoot: break;
  }
  return Cannot("A session folder lies in its conversation folder");
}

/// Rules about who may write where, which hold for folders and objects alike.
Result<> MayWriteIn(const Place& place, const Asker& asker) {
  if (asker.IsClient() && place.in_default && !asker.profile.owner_may_write_default)
    return NotYou("Only the network stores in the default folder");
  return {};
}

Result<> MayPutUserFolderIn(const Place& superior, const Asker& asker) {
  if (asker.IsClient() && asker.profile.user_folders_only_below_root && !superior.in_root) {
    return Fail(Errc::kNoPermission,
                fmt::format("Your folders lie below \"{}\" only", asker.profile.permanent_root));
  }
  return {};
}

}  // namespace

bool IsOneToOne(std::string_view identity) { return protocol::cpm::Canonical(identity) == identity; }

bool MayHold(FolderKind superior, FolderKind inferior) {
  switch (superior) {
    case FolderKind::kDefault: return inferior == FolderKind::kConversation;
    case FolderKind::kConversation: return inferior == FolderKind::kSession;
    case FolderKind::kSession: return false;
    case FolderKind::kUser:
    case FolderKind::kInbox:
    case FolderKind::kRoot: return inferior != FolderKind::kSession;
  }
  return false;
}

FolderKind KindBelow(FolderKind superior) {
  switch (superior) {
    case FolderKind::kDefault: return FolderKind::kConversation;
    case FolderKind::kConversation: return FolderKind::kSession;
    case FolderKind::kSession:
    case FolderKind::kUser:
    case FolderKind::kInbox:
    case FolderKind::kRoot: break;
  }
  return FolderKind::kUser;
}

protocol::Rights MayEver(const Place& place, const Asker& asker) {
  using protocol::Right;
  using protocol::Rights;
  Rights out = Rights::All();
  if (place.kind == FolderKind::kDefault) out = out - (Right::kInsert | Right::kPost);
  if (!MayDelete(place.kind) && place.kind != FolderKind::kInbox)  // INBOX is renamed, not deleted
    out = out - Right::kDeleteMailbox;
  if (place.kind == FolderKind::kSession) out = out - Right::kCreate;
  if (!MayWriteIn(place, asker)) out = out - (Right::kInsert | Right::kPost | Right::kCreate);
  if (KindBelow(place.kind) == FolderKind::kUser && !MayPutUserFolderIn(place, asker))
    out = out - Right::kCreate;
  return out;
}

Result<> MayCreate(FolderKind kind, const Place& superior, const Asker& asker) {
  if (!MayHold(superior.kind, kind)) return NotThere(superior.kind);
  if (kind == FolderKind::kSession && superior.one_to_one) return Cannot(kOneToOne);
  if (kind == FolderKind::kUser) RETURN_IF_ERROR(MayPutUserFolderIn(superior, asker));
  return MayWriteIn(superior, asker);
}

Result<> MayDelete(FolderKind kind) {
  switch (kind) {
    case FolderKind::kInbox: return Cannot("INBOX cannot be deleted");
    case FolderKind::kDefault: return Cannot(kFixedDefault);
    case FolderKind::kRoot: return Cannot(kFixedRoot);
    case FolderKind::kUser:
    case FolderKind::kConversation:
    case FolderKind::kSession: break;
  }
  return {};
}

Result<> MayRename(FolderKind kind, const Place& to_superior, bool in_place, const Asker& asker) {
  switch (kind) {
    case FolderKind::kDefault: return Cannot(kFixedDefault);
    case FolderKind::kRoot: return Cannot(kFixedRoot);
    case FolderKind::kInbox:  // its messages go to a new user folder (RFC 3501 §6.3.5)
    case FolderKind::kUser: return MayCreate(FolderKind::kUser, to_superior, asker);
    case FolderKind::kConversation:
      if (to_superior.kind == FolderKind::kDefault) {
        if (!in_place)
          return Cannot("A conversation folder that was moved to a user folder does not come back");
        if (asker.IsClient())
          return NotYou("A conversation folder is named by its peer or Conversation-ID and keeps its name");
        return {};
      }
      // Where it is kept its name is its owner's: the network finds it by its row (FolderTree), and a move
      // there (SD 5.5.1.1(3), 5.5.2.10: "rename or move") may name it anew, so there and back would do it.
      if (!MayHold(to_superior.kind, kind)) return NotThere(to_superior.kind);
      return MayPutUserFolderIn(to_superior, asker);
    case FolderKind::kSession:
      if (!in_place) return Cannot("A session folder is moved with its conversation folder only");
      if (asker.IsClient())
        return NotYou("A session folder is named by its Contribution-ID and keeps its name");
      return {};
  }
  return {};
}

Result<> MayFollow(FolderKind inferior) {
  if (inferior == FolderKind::kDefault)
    return Cannot("The default folder lies below this folder and cannot be moved");
  if (inferior == FolderKind::kRoot)
    return Cannot("The folder of what is kept lies below this folder and cannot be moved");
  return {};
}

Result<> MayAppend(ObjectKind object, const Place& target, const Asker& asker) {
  if (target.kind == FolderKind::kDefault) return Cannot(kConversationsOnly);
  if (object == ObjectKind::kGroupState && target.kind != FolderKind::kSession)
    return Cannot("A group state object lies in a session folder only");
  if (object == ObjectKind::kSessionInfo && target.kind == FolderKind::kConversation && !target.one_to_one)
    return Cannot("The session info of a group session lies in its session folder");
  return MayWriteIn(target, asker);
}

Result<> MayCopy(ObjectKind object, const Place& target, const Asker& asker) {
  // Spec note 1.4 lets a single object be copied to a user folder, but SD 5.5.1.2(5) says of the group state
  // that it "may only appear in a session history folder", with no exception for copies. It says how to
  // rejoin that very session; a person reads nothing in it. So a copy of all of a session to a user folder is
  // refused as a whole (RFC 3501 §6.4.7: all or none), and the client is told what to leave out.
  if (object == ObjectKind::kGroupState && target.kind != FolderKind::kSession) {
    return Cannot(
        "A group state object lies in a session folder only, and is kept by moving (RENAME) the whole "
        "conversation");
  }
  return MayAppend(object, target, asker);
}

Result<> MayMove(ObjectKind object, FolderKind source, const Place& target, const Asker& asker) {
  if (source == FolderKind::kConversation || source == FolderKind::kSession) {
    return Cannot(
        "An object of a conversation is not moved alone: copy it, or rename the whole conversation folder");
  }
  return MayAppend(object, target, asker);
}

}  // namespace storage::model
