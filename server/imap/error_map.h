#pragma once

#include "protocol/imap/reply.h"
#include "storage/error.h"

namespace server::imap {

/// What the folder that an error speaks of was to the command.
enum class Folder {
  kNamed,   ///< the command is about it
  kTarget,  ///< messages were to go there: [TRYCREATE] (RFC 3501 §7.1)
};

/// The only place where a storage error becomes words for a client (RFC 5530).
protocol::Reply ReplyFor(const storage::Error& error, Folder folder = Folder::kNamed);

}  // namespace server::imap
