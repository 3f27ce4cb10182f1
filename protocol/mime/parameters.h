#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace protocol::mime {

/// Parameters in the order of the field. A value split over sections (RFC 2231 §3) is joined, as §6 asks of
/// IMAP servers; its charset and percent-encoding stay for the client, marked by a name that ends in '*'.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// A Content-Type or Content-Disposition value taken apart. Names and values are as spelled.
struct StructuredValue {
  std::string type;     ///< "text", "attachment"
  std::string subtype;  ///< "plain"; empty where there is no slash
  Parameters parameters;

  /// The first parameter of that name (any case), nullptr when there is none.
  const std::string* Find(std::string_view name) const;
};

/// RFC 2045 §5.1, RFC 2183 §2, of an unfolded value; tolerant of white space, missing semicolons and quotes.
/// At most 64 parameters are kept.
StructuredValue ParseStructuredValue(std::string_view value);

}  // namespace protocol::mime
