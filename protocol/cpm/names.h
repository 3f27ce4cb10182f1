#pragma once

#include <string>
#include <string_view>

#include "protocol/cpm/fault.h"

namespace protocol::cpm {

/// The folder of a 1-1 conversation: the peer's canonical address as it stands. `peer` is any value that
/// ParsePeer() takes; a fault when it is none.
tl::expected<std::string, Fault> ConversationFolderName(std::string_view peer);

/// The folder name of a Conversation-ID or Contribution-ID (spec note 1.2): octets other than A-Z a-z 0-9 - .
/// _ ~ : @ + ! $ ' ( ) , ; = become %XX in upper case. Different ids have different names.
///
///   6c2d1f40-0d7e     6c2d1f40-0d7e
///   a/b%c             a%2Fb%25c
///   ..                %2E%2E          so that a client that keeps folders as directories is not led astray
///
/// A fault when the id is empty or its name would exceed kMaxNameComponent (255 octets). Cutting or hashing
/// it would make the name of one id that of another, or nobody's who reads it; real ids have 36 octets.
tl::expected<std::string, Fault> FolderNameOfId(std::string_view id);

}  // namespace protocol::cpm
