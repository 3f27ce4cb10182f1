#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace protocol::mime {

/// What a part holds besides octets. Values are stored: append only.
enum class PartKind : std::uint8_t {
  kLeaf = 0,       ///< anything that has no parts for IMAP; message/cpim is one
  kMultipart = 1,  ///< its children are the body parts; at least one
  kMessage = 2,    ///< message/rfc822: exactly one child, the message inside
};

/// Content-Transfer-Encoding (RFC 2045 §6). Values are stored: append only.
enum class Encoding : std::uint8_t {
  k7Bit = 0,  ///< also when the field is absent
  k8Bit = 1,
  kBinary = 2,
  kQuotedPrintable = 3,
  kBase64 = 4,
  kUnknown = 5,  ///< anything else, x-uuencode included: BINARY answers [UNKNOWN-CTE]
};

/// What readers of content ask about the type. Values are stored: append only.
enum class Media : std::uint8_t {
  kOther = 0,
  kText = 1,  ///< text/*, save html
  kHtml = 2,  ///< text/html
  kCpim = 3,  ///< message/cpim
};

/// One entity: octets [header_begin, body_begin) are its header with the empty line that ends it (if there is
/// one), [body_begin, body_end) its body as encoded. The line end before a boundary belongs to neither part
/// (RFC 2046 §5.1.1).
///
/// Invariant  header_begin <= body_begin <= body_end, all within the parent's body.
struct Part {
  std::uint64_t header_begin = 0;
  std::uint64_t body_begin = 0;
  std::uint64_t body_end = 0;
  std::uint64_t header_lines = 0;  ///< LF octets in the header
  std::uint64_t body_lines = 0;    ///< LF octets in the body, the count that BODYSTRUCTURE gives
  std::uint32_t subtree = 1;       ///< parts in this part's tree, itself included
  PartKind kind = PartKind::kLeaf;
  Encoding encoding = Encoding::k7Bit;
  Media media = Media::kOther;

  friend bool operator==(const Part&, const Part&) = default;
};

/// The part tree, flat in pre-order: parts[0] is the message; the first child of i (where subtree > 1) is i +
/// 1; the next sibling of i is i + parts[i].subtree. Never empty when Inspect() or DecodeParts() made it.
using Parts = std::vector<Part>;

/// A stretch of the message as appended that a client is given something else for.
struct Replacement {
  std::uint64_t begin = 0;
  std::uint64_t length = 0;
  bool body = false;  ///< its octets in base64; otherwise the field that says so
  friend bool operator==(const Replacement&, const Replacement&) = default;
};

/// A message with NUL octets as IMAP serves it (reencode.h).
struct Served {
  std::uint64_t size = 0;                 ///< RFC822.SIZE
  std::vector<Replacement> replacements;  ///< ascending, apart from each other
  Parts parts;                            ///< of the message as served
  friend bool operator==(const Served&, const Served&) = default;
};

/// What a row knows of NUL octets in its message.
enum class Nul : std::uint8_t {
  kMaybe,  ///< who gives octets to a client has to look
  kNone,
};

struct BadParts {
  std::string detail;  ///< for the log
};

/// The row form of a part tree, about 8 octets a part.
///
///   parts   = version count *part          version = %x01, or %x03: Nul::kNone; count = varint, at least 1
///   part    = class children gap header body header-lines body-lines
///   class   = OCTET                        media << 5 | encoding << 2 | kind
///   children= varint                       of this part; they follow, each with its own tree
///   gap     = varint                       octets from the end of the preceding sibling (or the parent's
///   body begin; 0 for the
///                                          message) to header_begin
///   header, body, header-lines, body-lines = varint   octets and LFs
///   varint  = 1*10OCTET                    LEB128, least significant seven bits first
///
/// A message that is served otherwise than it was appended has a longer row, which begins with the one number
/// that every FETCH needs:
///
///   served  = %x02 size count *replacement length parts parts    length: of the first parts, as appended;
///                                                                 the second are as served
///   replacement = gap length (%x00 / %x01)                       gap: from the end of the preceding one;
///                                                                 %x01: a body
///
/// Example: a text/plain message, 10 octets (2 LF) of header and 5 (1 LF) of body: 01 01 20 00 00 0a 05 02
/// 01.
std::string EncodeParts(const Parts& parts, Nul nul = Nul::kMaybe);
std::string EncodeParts(const Parts& parts, const Served& served);

/// Reads one octet of a row that decodes.
Nul NulOf(std::string_view row);

/// The parts as appended. Safe on any octets; what it returns satisfies the invariants of Part and PartKind.
/// Nothing may follow.
tl::expected<Parts, BadParts> DecodeParts(std::string_view row);

/// nullopt: the message is served as it was appended. As safe.
tl::expected<std::optional<Served>, BadParts> DecodeServed(std::string_view row);

/// RFC822.SIZE of a message of `size` octets as appended.
std::uint64_t ServedSize(std::string_view row, std::uint64_t size);

}  // namespace protocol::mime
