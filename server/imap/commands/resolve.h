#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tl/expected.hpp>

#include "protocol/imap/reply.h"
#include "protocol/model/sequence_set.h"
#include "server/imap/view/mailbox_view.h"

namespace server::imap {

/// The UIDs that a command's numbers stand for, among the messages that have a number in the view (some may
/// be gone from the store). UIDs that are not there are passed over (RFC 3501 §6.4.8); message numbers that
/// are not there are the client's error, save that "*" and "n:*" in an empty folder name nothing.
tl::expected<UidSet, protocol::Reply> Resolve(const MailboxView& view, protocol::NumberKind numbers,
                                              const protocol::SequenceSet& set);

/// The same messages as a client names them: as sorted ranges of numbers, or of UIDs.
std::vector<protocol::NumberRange> Named(const MailboxView& view, protocol::NumberKind numbers,
                                         const UidSet& uids);

/// The same of messages in any order. REQUIRES: they have numbers.
std::vector<std::uint32_t> Numbers(const MailboxView& view, protocol::NumberKind kind,
                                   std::span<const Uid> uids);

/// RFC 5267 §3.2: in the order given, as ranges where they ascend.
std::vector<protocol::NumberRange> Ranges(std::span<const std::uint32_t> numbers);

/// Of UIDs in any order.
UidSet SetOf(std::span<const Uid> uids);

/// Whether some of them are gone from the store already, as far as this session knows.
bool AnyGone(const MailboxView& view, const UidSet& uids);

}  // namespace server::imap
