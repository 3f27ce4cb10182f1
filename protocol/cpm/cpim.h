#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/cpm/fault.h"

namespace protocol::cpm {

inline constexpr std::string_view kImdnNamespace = "urn:ietf:params:imdn";

/// A message header of CPIM (RFC 3862 §3).
struct CpimField {
  std::string namespace_uri;  ///< what NS bound the prefix to; empty for the headers of RFC 3862 itself
  std::string name;           ///< without prefix: "Message-ID" of "imdn.Message-ID"
  std::string value;          ///< UTF-8, escapes undone

  friend bool operator==(const CpimField&, const CpimField&) = default;
};

/// A message/cpim body (RFC 3862 §2), its content as a place in the octets.
struct Cpim {
  std::vector<CpimField> fields;    ///< in order, NS left out
  std::string content_type;         ///< of the content as spelled, unfolded; "text/plain" where it has none
  std::string content_disposition;  ///< as spelled, unfolded
  std::string content_encoding;     ///< as spelled, unfolded; empty: none
  std::optional<std::uint64_t> content_length;
  std::uint64_t content_begin = 0;  ///< offset in the body
  std::uint64_t content_size = 0;   ///< Content-Length, or up to the end

  /// The first value of a field, of an RFC 3862 header when no namespace is given; nullptr when absent.
  const std::string* Find(std::string_view name, std::string_view namespace_uri = {}) const;
  const std::string* Imdn(std::string_view name) const { return Find(name, kImdnNamespace); }
};

/// Reads the headers. `head` is the beginning of the body, all of it or at least kMaxCpimHeader octets;
/// `size` is the whole body's. Bare LFs are taken for line ends; names compare without regard to case.
///
/// Faults: a line that is no header, an end within the headers, headers over a limit, a Content-Length that
/// is no number or exceeds what is there. White space behind the content is not the content's; anything else
/// is a fault too, if `head` shows it or it is more than a few octets.
tl::expected<Cpim, Fault> ReadCpim(std::string_view head, std::uint64_t size);
inline tl::expected<Cpim, Fault> ReadCpim(std::string_view body) { return ReadCpim(body, body.size()); }

/// A field for WriteCpim() as it goes over the wire: prefix and name ("imdn.Message-ID") and the value in
/// UTF-8.
struct CpimLine {
  std::string name;
  std::string value;
};

/// Content for WriteCpim().
struct CpimContent {
  std::string type;         ///< Content-Type
  std::string disposition;  ///< Content-Disposition; empty: none
  std::string encoding;     ///< Content-Transfer-Encoding of `octets`; empty: none
  std::string_view octets;  ///< already so encoded
};

/// The whole body with the right Content-Length. Control characters in values are escaped (RFC 3862 §2.3);
/// the caller vouches for names and MIME values.
std::string WriteCpim(const std::vector<CpimLine>& lines, const CpimContent& content);

}  // namespace protocol::cpm
