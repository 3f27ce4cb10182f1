#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/mime/parameters.h"
#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"

namespace protocol::cpm {

/// What a part's header says of it. All but `type` is UTF-8.
struct PartHead {
  mime::StructuredValue type;
  std::string media_type;   ///< "text/plain", in lower case
  std::string disposition;  ///< "attachment", in lower case; empty: none
  std::string name;         ///< of the file, at most kMaxFileName octets; empty: it has none
  std::string description;
};

/// Never fails: of a header that cannot be read there is what an empty one says.
PartHead ReadPartHead(const mime::Parts& parts, mime::Source& source, std::size_t index);

/// To at most `most` octets, whole characters.
void CutUtf8(std::string& utf8, std::size_t most);

/// What is no UTF-8 becomes U+FFFD.
std::string ReadUtf8(std::string_view octets);

}  // namespace protocol::cpm
