#pragma once

#include <istream>
#include <ostream>

#include "tools/cms-admin/folder_tree.h"

namespace admin {

/// Reads an mbox of any kind: messages begin at a "From " line at the start or after an empty line, one '>'
/// is taken off ">From ". Line ends become CRLF. A message that WriteMbox() wrote comes back octet by octet,
/// with its flags and date.
void ReadMbox(std::istream& in, const VisitMessage& visit);

/// mboxrd, with the lines X-Cmsd-Octets, X-Cmsd-Date and X-Cmsd-Flags in front of the message's own header;
/// the octets are not changed but for the '>' before every line of '>'s and "From ".
void WriteMbox(std::ostream& out, const LocalMessage& message);

/// Every LF without a CR before it becomes CRLF.
std::string WithCrlf(std::string_view text);

}  // namespace admin
