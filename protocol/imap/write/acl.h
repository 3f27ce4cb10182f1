#pragma once

#include <string>
#include <string_view>

#include "protocol/model/rights.h"

/// Responses of RFC 4314 §3.6 to §3.8. Mailboxes are UTF-8.
namespace protocol::write {

/// "* ACL mailbox identifier rights ..."
class AclLine {
 public:
  AclLine(std::string& out, std::string_view utf8_mailbox);
  void Add(std::string_view identifier, Rights rights);
  void End();

 private:
  std::string& out_;
};

/// "* LISTRIGHTS mailbox identifier required optional ...": no two of `optional` are tied. The identifier as
/// the client spelled it (RFC 4314 §3.4).
void ListRightsLine(std::string& out, std::string_view utf8_mailbox, std::string_view identifier,
                    Rights required, Rights optional);

/// "* MYRIGHTS mailbox rights"
void MyRightsLine(std::string& out, std::string_view utf8_mailbox, Rights rights);

}  // namespace protocol::write
