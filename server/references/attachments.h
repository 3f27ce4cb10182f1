#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "server/references/desk.h"

namespace server::references {

/// Is asked before so many octets are looked into; an error ends it.
using ChargeOctets = std::function<storage::Result<>(std::uint64_t octets)>;

/// ReferenceDesk::Attachments() of a message that `whole` has opened.
storage::Result<std::vector<Attachment>> FindAttachments(const MessagePart& message, PartReader& whole,
                                                         const ChargeOctets& charge);

}  // namespace server::references
