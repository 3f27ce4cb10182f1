#pragma once

#include <string>

#include "protocol/model/rights.h"

/// Access control lists (RFC 4314). Mailboxes are UTF-8, canonical; identifiers as the client spelled them,
/// valid UTF-8 without control characters, not empty.
namespace protocol::command {

/// RFC 4314 §3.1.
struct SetAcl {
  std::string mailbox;
  std::string identifier;
  RightsChange change;

  friend bool operator==(const SetAcl&, const SetAcl&) = default;
};

/// RFC 4314 §3.2.
struct DeleteAcl {
  std::string mailbox;
  std::string identifier;

  friend bool operator==(const DeleteAcl&, const DeleteAcl&) = default;
};

/// RFC 4314 §3.3.
struct GetAcl {
  std::string mailbox;

  friend bool operator==(const GetAcl&, const GetAcl&) = default;
};

/// RFC 4314 §3.4.
struct ListRights {
  std::string mailbox;
  std::string identifier;

  friend bool operator==(const ListRights&, const ListRights&) = default;
};

/// RFC 4314 §3.5.
struct MyRights {
  std::string mailbox;

  friend bool operator==(const MyRights&, const MyRights&) = default;
};

}  // namespace protocol::command
