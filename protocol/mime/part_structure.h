#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace protocol::mime {

/// What BODYSTRUCTURE says of one part, cut out of what it says of the message (as Inspect() wrote it, but
/// safe on any octets). Part numbers as FindPart() takes them; nullopt: there is no such part.
std::optional<std::string_view> StructureOf(std::string_view body_structure,
                                            std::span<const std::uint32_t> path);

/// Of the message inside a message/rfc822 part; nullopt: it is none.
std::optional<std::string_view> StructureOfMessage(std::string_view structure);

/// The same of a leaf whose transfer encoding has been undone: "BINARY", with `octets` and, of a text,
/// `lines` (RFC 5524 §3.2). A multipart or a message has none to undo and stays as it is.
std::string DecodedStructure(std::string_view structure, std::uint64_t octets, std::uint64_t lines);

}  // namespace protocol::mime
