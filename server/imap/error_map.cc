#include "server/imap/error_map.h"

namespace server::imap {

using protocol::No;
using protocol::Reply;
using protocol::ResponseCode;
using storage::Errc;

namespace {

Reply Unavailable(Access access) {
  if (access == Access::kWrites) {
    return No(
        ResponseCode::kUnavailable,
        "The store cannot write now (disk full or I/O error); nothing was changed, reading still works");
  }
  return No(ResponseCode::kUnavailable, "The store cannot be read now (I/O error), try again later");
}

}  // namespace

Reply ReplyFor(const storage::Error& error, Access access, Folder folder) {
  switch (error.code) {  // no default: the compiler names what we forgot
    case Errc::kNoSuchFolder:
      if (folder == Folder::kTarget) return No(ResponseCode::kTryCreate, "No such mailbox; create it first");
      return No(ResponseCode::kNonExistent, "No such mailbox");
    case Errc::kFolderExists: return No(ResponseCode::kAlreadyExists, "Mailbox already exists");
    case Errc::kFolderHasChildren: return No(ResponseCode::kHasChildren, "Mailbox has inferior names");
    case Errc::kNotAllowed: return No(ResponseCode::kCannot, error.detail);
    case Errc::kNoPermission: return No(ResponseCode::kNoPerm, error.detail);
    case Errc::kInvalidArgument: return No(ResponseCode::kCannot, error.detail);
    case Errc::kNoSuchAccount: return No(ResponseCode::kContactAdmin, "This account no longer exists");
    case Errc::kAccountExists: return No(ResponseCode::kAlreadyExists, "Account already exists");
    case Errc::kAccountDisabled: return No(ResponseCode::kContactAdmin, "This account is disabled");
    case Errc::kNoSuchMessage: return No(ResponseCode::kExpungeIssued, "Some messages no longer exist");
    case Errc::kTooManyKeywords:
      return No(ResponseCode::kLimit,
                "This mailbox has as many keywords as it can hold; no flag was changed");
    case Errc::kOverQuota: return No(ResponseCode::kOverQuota, "Quota exceeded; nothing was stored");
    case Errc::kTooBig: return No(ResponseCode::kTooBig, "Too big: " + error.detail);
    case Errc::kLimit: return No(ResponseCode::kLimit, error.detail);
    case Errc::kAnnotationTooBig: return No(ResponseCode::MetadataMaxSize{error.limit}, error.detail);
    case Errc::kTooManyAnnotations: return No(ResponseCode::kMetadataTooMany, error.detail);
    case Errc::kConflict: return No(ResponseCode::kInUse, "Mailbox is busy, nothing was changed, try again");
    case Errc::kCorruption:
      return No(ResponseCode::kCorruption, "Stored data is damaged; the administrator has been told");
    case Errc::kUnavailable: return Unavailable(access);
    case Errc::kPartlyDone: return No(ResponseCode::kUnavailable, error.detail);
  }
  return No(ResponseCode::kServerBug, "Internal error");  // unreachable
}

}  // namespace server::imap
