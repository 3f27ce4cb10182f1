#pragma once

#include <string>
#include <vector>

#include "protocol/imap/command/status.h"

namespace protocol {

/// Which names LIST tells of (RFC 5258 §3.1, RFC 6154 §2). All that is asked for must hold.
struct ListSelection {
  bool subscribed = false;
  bool remote = false;           ///< other servers' mailboxes too: there are none here
  bool recursive_match = false;  ///< also superiors of what is selected; never without `subscribed`
  bool special_use = false;
  friend bool operator==(const ListSelection&, const ListSelection&) = default;
};

/// What LIST tells of each name (RFC 5258 §3.2, RFC 5819, RFC 6154 §2, RFC 8440, RFC 9590).
struct ListReturn {
  bool subscribed = false;
  bool children = false;
  bool special_use = false;
  bool my_rights = false;             ///< RFC 8440
  std::vector<StatusItem> status;     ///< in the order asked for; empty: no STATUS lines
  std::vector<std::string> metadata;  ///< entries (RFC 9590); empty: no METADATA lines
  friend bool operator==(const ListReturn&, const ListReturn&) = default;
};

}  // namespace protocol

namespace protocol::command {

/// RFC 3501 §6.3.8, RFC 5258. Reference and patterns are UTF-8, not canonicalised (ListPattern takes care of
/// INBOX); the reference is prepended by the handler.
struct List {
  std::string reference;
  std::vector<std::string> patterns;  ///< at least one
  bool extended = false;              ///< in one of the three ways of RFC 5258 §1
  ListSelection select;
  ListReturn returns;

  friend bool operator==(const List&, const List&) = default;
};

/// RFC 3501 §6.3.9.
struct Lsub {
  std::string reference;
  std::string pattern;

  friend bool operator==(const Lsub&, const Lsub&) = default;
};

}  // namespace protocol::command
