#pragma once

#include "protocol/imap/reply.h"
#include "storage/error.h"

namespace server::imap {

/// What the folder that an error speaks of was to the command.
enum class Folder {
  kNamed,   ///< the command is about it
  kTarget,  ///< messages were to go there: [TRYCREATE] (RFC 3501 §7.1)
};

/// What the command that failed is for.
enum class Access {
  kReads,
  kWrites,  ///< it changes the store, in one commit: after a failure nothing of it is there
};

/// The only place where a storage error becomes words for a client (RFC 5530).
protocol::Reply ReplyFor(const storage::Error& error, Access access, Folder folder = Folder::kNamed);

}  // namespace server::imap
