#pragma once

#include <string>
#include <vector>

#include "protocol/imap/parse/cursor.h"
#include "protocol/model/metadata_entry.h"

/// Productions of RFC 5464 §5 that RFC 9590 (LIST-METADATA) uses too.
namespace protocol::parse {

/// entry, checked for its use.
std::string ParseMetadataEntry(Cursor& in, MetadataNameUse use);

/// "(" entry *(SP entry) ")"
std::vector<std::string> ParseMetadataEntries(Cursor& in, MetadataNameUse use);

}  // namespace protocol::parse
