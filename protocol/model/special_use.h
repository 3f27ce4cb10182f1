#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace protocol {

/// RFC 6154 §2. The values are stored on disk: append only. \All and \Flagged are virtual mailboxes of other
/// servers and are refused at CREATE with [USEATTR].
enum class SpecialUse : std::uint8_t {
  kNone = 0,
  kArchive = 1,
  kDrafts = 2,
  kJunk = 3,
  kSent = 4,
  kTrash = 5
};

/// "\Sent" etc.; empty for kNone.
std::string_view Name(SpecialUse use);

/// Case-insensitive; nullopt for what is not one of the five.
std::optional<SpecialUse> SpecialUseNamed(std::string_view name);

}  // namespace protocol
