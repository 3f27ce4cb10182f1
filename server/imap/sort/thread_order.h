#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "protocol/imap/write/sort.h"

namespace server::imap::sort {

using protocol::write::ThreadMember;

inline constexpr std::uint32_t kNoParent = ThreadMember::kNoParent;

/// The messages' places, by sent date and then by sequence number.
std::vector<std::uint32_t> ByDate(std::span<const std::int64_t> dates);

/// A forest in the order of a THREAD answer (RFC 5256 §3, REFERENCES step 6): each set of siblings by sent
/// date, then by sequence number.
///
/// `parents` are of the messages 0 to dates.size() - 1, which stand in the order of sequence numbers, and of
/// as many dummies as follow them; a dummy has no parent, its place is that of its first child, and one
/// without children is left out. In the answer `number` is a message's place plus one. No recursion: a
/// thread may be as deep as the folder is long.
std::vector<ThreadMember> InThreadOrder(std::span<const std::uint32_t> parents,
                                        std::span<const std::int64_t> dates);

}  // namespace server::imap::sort
