#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tests::transcript {

/// The octets of message `number` of "given INBOX with 3 messages".
std::string OrdinaryMessage(int number);

/// What a "given" line about folders and messages means as IMAP commands:
///
///   INBOX with 3 messages, 2 is \Deleted, 1 and 3 are \Seen \Flagged
///   INBOX with message NAME flags (\Seen) date "17-Jul-1996 02:44:25 -0700"
///   INBOX with 2 new messages                only "new" ones are \Recent to the first session that selects
///   folder Archive                           and either "with" above
///   folder Mine use \Sent
///   subscription Lists/imap
///
/// Nullopt: it speaks of something else, or cannot be understood.
std::optional<std::vector<std::string>> GivenCommands(std::string_view what,
                                                      const std::map<std::string, std::string>& messages);

}  // namespace tests::transcript
