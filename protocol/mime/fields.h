#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/mime/parameters.h"
#include "protocol/mime/parts.h"

namespace protocol::mime {

/// The fields of one header that structure depends on. Views into the header block, folding included; data()
/// is null where the field is absent. The first occurrence counts.
struct MimeFields {
  std::string_view type;
  std::string_view encoding;
  std::string_view id;
  std::string_view description;
  std::string_view disposition;
  std::string_view language;
  std::string_view location;
  std::string_view md5;
};

MimeFields FindMimeFields(std::string_view header);

/// Content-Type with the default of RFC 2045 §5.2 (text/plain; charset=us-ascii) where it is absent or makes
/// no sense; of a text/* type without a charset, us-ascii is added. In a multipart/digest an absent type is
/// message/rfc822 (RFC 2046 §5.1.5).
StructuredValue ContentType(const MimeFields& fields, bool in_digest);

/// RFC 2045 §6.1.
Encoding TransferEncoding(std::string_view token);

/// The encoding's token as spelled, "7bit" when absent; comments are dropped.
std::string EncodingToken(const MimeFields& fields);

}  // namespace protocol::mime
