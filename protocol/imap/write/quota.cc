#include "protocol/imap/write/quota.h"

#include "protocol/imap/write/string.h"

namespace protocol::write {
namespace {

std::string_view Name(QuotaResource resource) {
  switch (resource) {
    case QuotaResource::kStorage: return "STORAGE";
    case QuotaResource::kMessage: return "MESSAGE";
    case QuotaResource::kMailbox: return "MAILBOX";
    case QuotaResource::kAnnotationStorage: return "ANNOTATION-STORAGE";
  }
  return "";
}

}  // namespace

// quota-response = "QUOTA" SP quota-root-name SP quota-list          ; RFC 9208 §7
QuotaLine::QuotaLine(std::string& out, std::string_view root) : out_(out) {
  out_ += "* QUOTA ";
  AString(out_, root);
  out_ += " (";
}

// quota-resource = resource-name SP resource-usage SP resource-limit
void QuotaLine::Add(QuotaResource resource, std::uint64_t use, std::uint64_t limit) {
  if (!first_) out_ += ' ';
  first_ = false;
  out_ += Name(resource);
  out_ += ' ';
  Number(out_, use);
  out_ += ' ';
  Number(out_, limit);
}

void QuotaLine::End() { out_ += ")\r\n"; }

// quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)
void QuotaRootLine(std::string& out, std::string_view utf8_mailbox, std::string_view root) {
  out += "* QUOTAROOT ";
  Mailbox(out, utf8_mailbox);
  out += ' ';
  AString(out, root);
  out += "\r\n";
}

}  // namespace protocol::write
