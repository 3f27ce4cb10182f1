#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Names of METADATA entries (RFC 5464 §3.2): "/shared/comment", "/private/vendor/token/name". They are
/// compared without regard to ASCII case: MetadataKey() is what two spellings of one name have in common.
namespace protocol {

/// How far below the entry that it names a GETMETADATA looks (RFC 5464 §4.2.2).
enum class MetadataDepth : std::uint8_t { kEntry, kChildren, kInfinity };

/// What the name is to do: an entry that is to have a value needs a whole name, one whose inferiors are asked
/// for may be the beginning of one ("/shared/vendor").
enum class MetadataNameUse : std::uint8_t { kEntry, kRoot };

inline constexpr std::size_t kMaxMetadataName = 512;  ///< octets: it is part of a key

/// What is wrong with an entry's name, as the end of "expected ...": a static string. Empty: nothing.
std::string_view MetadataNameFault(std::string_view name, MetadataNameUse use);

std::string MetadataKey(std::string_view name);

/// "/private" and what is below it: each viewer has values of their own.
bool IsPrivateMetadata(std::string_view name);

}  // namespace protocol
