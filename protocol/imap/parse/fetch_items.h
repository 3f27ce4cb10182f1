#pragma once

#include <vector>

#include "protocol/imap/command/fetch.h"
#include "protocol/imap/parse/cursor.h"

namespace protocol::parse {

/// From behind "(" to ")": fetch-att *(SP fetch-att) ")", of FETCH and of NOTIFY's MessageNew.
std::vector<FetchItem> ParseFetchItems(Cursor& in);

}  // namespace protocol::parse
