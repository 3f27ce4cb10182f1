#include "protocol/imap/write/acl.h"

#include "protocol/imap/write/string.h"

namespace protocol::write {

// acl-data = "ACL" SP mailbox *(SP identifier SP rights)             ; RFC 4314 §7
AclLine::AclLine(std::string& out, std::string_view utf8_mailbox) : out_(out) {
  out_ += "* ACL ";
  Mailbox(out_, utf8_mailbox);
}

void AclLine::Add(std::string_view identifier, Rights rights) {
  out_ += ' ';
  AString(out_, identifier);
  out_ += ' ';
  AString(out_, rights.Letters());
}

void AclLine::End() { out_ += "\r\n"; }

// listrights-data = "LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights)
void ListRightsLine(std::string& out, std::string_view utf8_mailbox, std::string_view identifier,
                    Rights required, Rights optional) {
  out += "* LISTRIGHTS ";
  Mailbox(out, utf8_mailbox);
  out += ' ';
  AString(out, identifier);
  out += ' ';
  AString(out, required.Letters());
  // One by one, and so are the virtual `c` and `d` (RFC 4314 §2.1.1).
  for (const char letter : optional.Letters()) {
    out += ' ';
    out += letter;
  }
  out += "\r\n";
}

// myrights-data = "MYRIGHTS" SP mailbox SP rights
void MyRightsLine(std::string& out, std::string_view utf8_mailbox, Rights rights) {
  out += "* MYRIGHTS ";
  Mailbox(out, utf8_mailbox);
  out += ' ';
  AString(out, rights.Letters());
  out += "\r\n";
}

}  // namespace protocol::write
