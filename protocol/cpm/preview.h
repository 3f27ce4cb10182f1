#pragma once

#include <optional>
#include <string>

#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"
#include "protocol/model/object_kind.h"

namespace protocol::cpm {

/// The preview of an object (RFC 8970 §3): one line of UTF-8, at most kPreviewCharacters characters, white
/// space joined. README.md says what it is made of. Empty: there is nothing to show. nullopt: the octets
/// cannot be had.
///
/// The same octets always give the same preview. Of the object a few headers, and of the
/// texts of at most kPreviewParts parts kPreviewText octets each and kPreviewTexts in all, are read, whatever
/// its size.
std::optional<std::string> Preview(ObjectKind kind, const mime::Parts& parts, mime::Source& source);

}  // namespace protocol::cpm
