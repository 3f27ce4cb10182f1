#include "protocol/imap/write/string.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "protocol/imap/parse/grammar.h"
#include "protocol/model/ascii.h"
#include "protocol/text/modified_utf7.h"

namespace protocol::write {
namespace {

/// Longer strings go as literals: some clients have small buffers for quoted ones.
constexpr std::size_t kLongestQuoted = 1000;

bool IsAtom(std::string_view octets) {
  return !octets.empty() && octets.size() <= kLongestQuoted && !ascii::EqualNoCase(octets, "NIL") &&
         std::all_of(octets.begin(), octets.end(), grammar::IsAtomChar);
}

void Quoted(std::string& out, std::string_view octets) {
  out += '"';
  for (const char c : octets) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

void Number(std::string& out, std::uint64_t value) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

bool CanQuote(std::string_view octets) {
  return octets.size() <= kLongestQuoted && std::all_of(octets.begin(), octets.end(), [](char c) {
           const auto u = static_cast<unsigned char>(c);
           return u != 0 && u != '\r' && u != '\n' && u < 0x80;
         });
}

void String(std::string& out, std::string_view octets) {
  if (CanQuote(octets)) return Quoted(out, octets);
  LiteralHeader(out, octets.size());
  const std::size_t start = out.size();
  out += octets;
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), '\0', '?');
}

void AString(std::string& out, std::string_view octets) {
  if (IsAtom(octets)) {
    out += octets;
  } else {
    String(out, octets);
  }
}

void NString(std::string& out, std::optional<std::string_view> octets) {
  if (octets) {
    String(out, *octets);
  } else {
    out += "NIL";
  }
}

void Mailbox(std::string& out, std::string_view utf8_name) {
  // Most names stand for themselves, and a LIST may have thousands.
  if (IsAtom(utf8_name) && utf8_name.find('&') == std::string_view::npos) {
    out += utf8_name;
  } else {
    AString(out, text::ToModifiedUtf7(utf8_name));
  }
}

void LiteralHeader(std::string& out, std::uint64_t size) {
  out += '{';
  Number(out, size);
  out += "}\r\n";
}

void Literal8Header(std::string& out, std::uint64_t size) {
  out += '~';
  LiteralHeader(out, size);
}

}  // namespace protocol::write
