#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace protocol::mime {

/// The Message IDs of an unfolded Message-ID, In-Reply-To or References value, in their normal form (RFC 5256
/// §3, REFERENCES): without angle brackets, quoting and white space, so that <"a"@x> and <a@x> are the same.
/// What is no msg-id of RFC 5322 §3.6.4, as it has no "@", and what has more than `max_octets`, is passed
/// over; so is what stands between them. If there are more than `max_ids`, the last ones are given.
std::vector<std::string> NormalMessageIds(std::string_view value, std::size_t max_ids,
                                          std::size_t max_octets);

/// The first of them; empty if there is none.
std::string FirstMessageId(std::string_view value, std::size_t max_octets);

}  // namespace protocol::mime
