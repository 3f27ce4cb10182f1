#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace protocol {

/// What stands between the brackets of BODY[...] and BINARY[...] (RFC 3501 §6.4.5, RFC 3516 §4.2).
struct Section {
  enum class Kind {
    kAll,              ///< "" at top level, or the part's content after part numbers
    kHeader,           ///< HEADER: of the message, or of the message/rfc822 part that `part` names
    kHeaderFields,     ///< HEADER.FIELDS
    kHeaderFieldsNot,  ///< HEADER.FIELDS.NOT
    kText,             ///< TEXT
    kMime,             ///< MIME: only with part numbers
  };

  std::vector<std::uint32_t> part;  ///< 1-based part numbers; empty = the message itself
  Kind kind = Kind::kAll;
  std::vector<std::string> fields;  ///< as the client spelled them, for the two HEADER.FIELDS kinds

  friend bool operator==(const Section&, const Section&) = default;
};

/// <offset.count>: octets of the section's content. count is at least 1.
struct Partial {
  std::uint32_t offset = 0;
  std::uint32_t count = 0;
  friend bool operator==(const Partial&, const Partial&) = default;
};

}  // namespace protocol
