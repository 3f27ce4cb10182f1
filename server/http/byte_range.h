#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace server::http {

/// Octets [first, first + length) of a representation.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct WholeOfIt {
  friend bool operator==(const WholeOfIt&, const WholeOfIt&) = default;
};
struct Unsatisfiable {
  friend bool operator==(const Unsatisfiable&, const Unsatisfiable&) = default;
};

/// What a Range field asks of `size` octets (RFC 9110 §14.2). One range is served; a field that is none, has
/// another unit or several ranges asks for nothing, as servers may have it: WholeOfIt.
std::variant<WholeOfIt, ByteRange, Unsatisfiable> ReadRange(std::string_view field, std::uint64_t size);

/// How entity tags are compared (RFC 9110 §8.8.3.2): weak ones are as good for If-None-Match, not for
/// If-Match.
enum class Comparison : std::uint8_t { kWeak, kStrong };
/// Whether the field names the strong entity tag `etag`; "*" does.
bool NamesEtag(std::string_view field, std::string_view etag, Comparison comparison);

}  // namespace server::http
