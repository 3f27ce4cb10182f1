#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/model/ids.h"

/// Object identifiers as text (RFC 8474 §3): a letter for the kind, then the number in decimal. The letters
/// keep the two kinds apart for ever.
namespace protocol {

void AppendMailboxId(std::string& out, FolderId folder);  ///< "F17"
void AppendEmailId(std::string& out, ObjectId object);    ///< "M42"

/// nullopt for what this server never gave out.
std::optional<ObjectId> ParseEmailId(std::string_view text);

}  // namespace protocol
