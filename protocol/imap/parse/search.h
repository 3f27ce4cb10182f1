#pragma once

#include "protocol/imap/command/search.h"
#include "protocol/imap/parse/cursor.h"

/// What SORT and THREAD have of SEARCH.
namespace protocol::parse {

/// From the space behind "RETURN" to the closing parenthesis.
SearchReturn ParseReturn(Cursor& in);

/// search-criteria = charset 1*(SP search-key)       ; RFC 5256 §5
void ParseSearchCriteria(Cursor& in, command::Search& search);

}  // namespace protocol::parse
