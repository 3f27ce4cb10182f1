#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace protocol::mime {

/// The ENVELOPE (RFC 3501 §7.4.2) of a header block: parentheses and all, about `max` octets at most. Sender
/// and Reply-To default to From. Of Date, Subject, In-Reply-To, Message-ID and the originators the first
/// field counts; several To, Cc or Bcc fields are one list.
std::string Envelope(std::string_view header, std::size_t max);

}  // namespace protocol::mime
