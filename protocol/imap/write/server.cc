#include "protocol/imap/write/server.h"

#include "protocol/imap/write/string.h"
#include "protocol/text/modified_utf7.h"

namespace protocol::write {
namespace {

// namespace = nil / "(" 1*("(" string SP (DQUOTE QUOTED-CHAR DQUOTE / nil) ")") ")"            ; RFC 2342 §6
void Prefixes(std::string& out, std::span<const NamespacePrefix> prefixes) {
  if (prefixes.empty()) {
    out += "NIL";
    return;
  }
  out += '(';
  for (const NamespacePrefix& prefix : prefixes) {
    out += '(';
    String(out, text::ToModifiedUtf7(prefix.utf8));
    out += " \"/\")";
  }
  out += ')';
}

}  // namespace

void CapabilityLine(std::string& out, std::string_view words) {
  out += "* CAPABILITY ";
  out += words;
  out += "\r\n";
}

void EnabledLine(std::string& out, std::span<const std::string> names) {
  out += "* ENABLED";
  for (const std::string& name : names) {
    out += ' ';
    out += name;
  }
  out += "\r\n";
}

void NamespaceLine(std::string& out, std::span<const NamespacePrefix> personal,
                   std::span<const NamespacePrefix> others, std::span<const NamespacePrefix> shared) {
  out += "* NAMESPACE ";
  Prefixes(out, personal);
  out += ' ';
  Prefixes(out, others);
  out += ' ';
  Prefixes(out, shared);
  out += "\r\n";
}

void IdLine(std::string& out, std::span<const std::pair<std::string_view, std::string_view>> fields) {
  out += "* ID ";
  if (fields.empty()) {
    out += "NIL\r\n";
    return;
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    out += i == 0 ? '(' : ' ';
    String(out, fields[i].first);
    out += ' ';
    String(out, fields[i].second);
  }
  out += ")\r\n";
}

}  // namespace protocol::write
