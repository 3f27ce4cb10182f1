#include "protocol/imap/write/metadata.h"

#include "protocol/imap/write/string.h"

namespace protocol::write {
namespace {

void Start(std::string& out, std::string_view utf8_mailbox) {
  out += "* METADATA ";
  Mailbox(out, utf8_mailbox);
}

}  // namespace

// metadata-resp = "METADATA" SP mailbox SP (entry-values / entry-list)                         ; RFC 5464 §5
MetadataLine::MetadataLine(std::string& out, std::string_view utf8_mailbox) : out_(out) {
  Start(out_, utf8_mailbox);
  out_ += " (";
}

void MetadataLine::Add(std::string_view entry, std::optional<std::string_view> value) {
  if (!first_) out_ += ' ';
  first_ = false;
  AString(out_, entry);
  out_ += ' ';
  if (value && value->find('\0') != std::string_view::npos) {
    Literal8Header(out_, value->size());
    out_ += *value;
  } else {
    NString(out_, value);
  }
}

void MetadataLine::End() { out_ += ")\r\n"; }

void MetadataChangedLine(std::string& out, std::string_view utf8_mailbox,
                         std::span<const std::string> entries) {
  Start(out, utf8_mailbox);
  for (const std::string& entry : entries) {
    out += ' ';
    AString(out, entry);
  }
  out += "\r\n";
}

}  // namespace protocol::write
