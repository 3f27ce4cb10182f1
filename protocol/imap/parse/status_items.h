#pragma once

#include <vector>

#include "protocol/imap/command/status.h"
#include "protocol/imap/parse/cursor.h"

namespace protocol::parse {

/// "(" status-att *(SP status-att) ")": of STATUS, and of LIST's return option (RFC 5819 §4).
std::vector<StatusItem> ParseStatusItems(Cursor& in);

}  // namespace protocol::parse
