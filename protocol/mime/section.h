#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"
#include "protocol/model/section.h"

namespace protocol::mime {

/// A stretch of the message as appended.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  friend bool operator==(const Extent&, const Extent&) = default;
};

/// Where the section lies (RFC 3501 §6.4.5); nullopt when the message has no such part, to be answered with
/// NIL. For the two HEADER.FIELDS kinds: the extent of the whole header, to be passed through FilterHeader().
std::optional<Extent> Locate(const Parts& parts, const Section& section);

/// The part that a BINARY section names (RFC 3516 §4.2); an empty path is the message itself.
const Part* FindPart(const Parts& parts, std::span<const std::uint32_t> path);

/// The fields of `header` that are (keep) or are not (!keep) among `fields`, octet for octet with their
/// folding, and the empty line that ends the header: always one, made up where the header has none. Names
/// compare ASCII-case-insensitively.
std::string FilterHeader(std::string_view header, std::span<const std::string> fields, bool keep);

struct DecodeError {
  enum class Kind {
    kUnknownEncoding,  ///< [UNKNOWN-CTE], RFC 3516 §4.3
    kSourceFailed,
  };
  Kind kind;
  friend bool operator==(const DecodeError&, const DecodeError&) = default;
};

/// Undoes the transfer encoding of one part's body, pulling from the source as it is read. Memory: 32 KiB.
/// Malformed base64 or quoted-printable is decoded as far as it makes sense, never refused.
///
/// Lifetime   the source outlives it.
class Decoder {
 public:
  /// For the body of `part`. A multipart or message/rfc822 is given as it stands. kUnknownEncoding is the
  /// only error.
  static tl::expected<Decoder, DecodeError> Open(Source& source, const Part& part);

  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  ~Decoder();

  /// The next decoded octets; 0 only at the end (or for an empty `out`).
  tl::expected<std::size_t, DecodeError> Read(std::span<char> out);

 private:
  struct State;
  explicit Decoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A Decoder gives the body as it stands.
bool IsIdentity(const Part& part);

/// Octets that a Decoder will give (BINARY.SIZE): reads the part unless its encoding is the identity.
tl::expected<std::uint64_t, DecodeError> DecodedSize(Source& source, const Part& part);

}  // namespace protocol::mime
