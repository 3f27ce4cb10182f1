#include "protocol/cpm/address.h"

#include <algorithm>

#include "protocol/cpm/limits.h"
#include "protocol/model/ascii.h"

namespace protocol::cpm {
namespace {

constexpr std::size_t kMaxAddress = 255;
constexpr std::string_view kSeparators = "-.()";  // RFC 3966 §3 visual-separator
constexpr std::string_view kTypedSeparators = "-.() \t/";

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool AcceptScheme(std::string_view& text, std::string_view scheme) {
  if (!ascii::EqualNoCase(text.substr(0, scheme.size()), scheme)) return false;
  text.remove_prefix(scheme.size());
  return true;
}

/// What stands between the angle brackets of a name-addr, or everything. A '<' inside the quotes of the name
/// is not one.
std::string_view StripName(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && quoted) {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '<' && !quoted) {
      return Trim(text.substr(i + 1, text.find('>', i) - i - 1));
    }
  }
  return text;
}

/// "+digits" or digits (and the local symbols * # a-f of RFC 3966 §5.1.5), separators removed; empty when it
/// is no number.
std::string Number(std::string_view text, std::string_view separators, bool local_symbols) {
  std::string out;
  for (const char c : text) {
    if (separators.find(c) != std::string_view::npos) continue;
    const bool plus = c == '+' && out.empty();
    const bool symbol =
        local_symbols && (c == '*' || c == '#' || (ascii::ToLower(c) >= 'a' && ascii::ToLower(c) <= 'f'));
    if (!plus && !ascii::IsDigit(c) && !symbol) return {};
    out += ascii::ToLower(c);
  }
  if (out == "+" || (out.starts_with('+') && !std::all_of(out.begin() + 1, out.end(), ascii::IsDigit)))
    return {};
  return out;
}

std::optional<std::string> Tel(std::string number) {
  if (number.empty() || number.size() > kMaxAddress - 4) return std::nullopt;
  return "tel:" + std::move(number);
}

int HexValue(char c) {
  if (ascii::IsDigit(c)) return c - '0';
  const char lower = ascii::ToLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool IsUnreserved(char c) {  // RFC 3261 §25.1: alphanum / mark
  return ascii::IsAlpha(c) || ascii::IsDigit(c) ||
         std::string_view("-_.!~*'()").find(c) != std::string_view::npos;
}

/// RFC 3261 §19.1.4: an escaped unreserved character equals the character itself; others stay escaped, in
/// upper case. Octets that cannot stand in a URI or a folder name are escaped; a '%' that begins no escape is
/// refused.
std::optional<std::string> User(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "&=+$,;?";  // user-unreserved save '/', the hierarchy delimiter
  std::string out;
  const auto escape = [&](char c) {
    out += '%';
    out += kHex[static_cast<unsigned char>(c) >> 4U];
    out += kHex[static_cast<unsigned char>(c) & 15U];
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7f) return std::nullopt;
      if (IsUnreserved(text[i]) || kPlain.find(text[i]) != std::string_view::npos) {
        out += text[i];
      } else {
        escape(text[i]);
      }
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    const char c = static_cast<char>(high * 16 + low);
    if (IsUnreserved(c)) {
      out += c;
    } else {
      escape(c);
    }
    i += 2;
  }
  return out;
}

/// hostname, IPv4 or [IPv6], with a port other than 5060; lower-case. Empty when it is none.
std::string Host(std::string_view text) {
  std::string_view port;
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return {};
  if (const std::size_t colon = text.find(':', bracket); colon != std::string_view::npos) {
    port = text.substr(colon + 1);
    text = text.substr(0, colon);
    if (port.size() > 5 || !std::all_of(port.begin(), port.end(), ascii::IsDigit)) return {};
    while (port.size() > 1 && port.starts_with('0')) port.remove_prefix(1);
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  const bool ipv6 = bracket > 0;
  if (text.empty() || (ipv6 && (!text.ends_with(']') || text.size() < 4))) return {};
  const std::string_view inner = ipv6 ? text.substr(1, text.size() - 2) : text;
  const bool fits = std::all_of(inner.begin(), inner.end(), [&](char c) {
    return ipv6 ? HexValue(c) >= 0 || c == ':' || c == '.'
                : ascii::IsAlpha(c) || ascii::IsDigit(c) || c == '-' || c == '.' || c == '_';
  });
  if (!fits || inner.starts_with('.') || inner.ends_with('.') || inner.find("..") != std::string_view::npos)
    return {};
  std::string out = ascii::Lower(text);
  if (!port.empty() && port != "5060") out.append(":").append(port);
  return out;
}

/// RFC 3323 §4.1.1.3: the host of who withholds his identity, whatever the user part says.
bool IsAnonymousHost(std::string_view host) { return host.substr(0, host.find(':')) == "anonymous.invalid"; }

bool HasParameter(std::string_view parameters, std::string_view wanted) {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    if (ascii::EqualNoCase(Trim(parameters.substr(0, end)), wanted)) return true;
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
  }
  return false;
}

// sip-uri = "sip:" [ user [ ":" password ] "@" ] host [ ":" port ] *( ";" parameter ) [ "?" headers ]   ; RFC
// 3261 §19.1.1
std::optional<std::string> Sip(std::string_view rest) {
  const std::size_t at = rest.rfind('@');
  std::string_view user = at == std::string_view::npos ? std::string_view{} : rest.substr(0, at);
  std::string_view host = at == std::string_view::npos ? rest : rest.substr(at + 1);
  host = host.substr(0, host.find('?'));
  const std::size_t semicolon = std::min(host.find(';'), host.size());
  const bool phone = HasParameter(host.substr(semicolon), "user=phone");
  host = host.substr(0, semicolon);

  user = user.substr(0, user.find(':'));
  if (at != std::string_view::npos && user.empty()) return std::nullopt;
  const auto clean_user = User(user);
  if (!clean_user) return std::nullopt;
  // A telephone-subscriber: its own parameters follow a semicolon.
  std::string number = clean_user->substr(0, clean_user->find(';'));
  if (number.starts_with("%2B")) number.replace(0, 3, "+");
  const std::string clean_host = Host(Trim(host));
  if ((phone || number.starts_with('+')) && !IsAnonymousHost(clean_host)) {
    number = Number(number, kSeparators, /*local_symbols=*/phone);
    if (!number.empty()) return Tel(std::move(number));
  }
  if (clean_host.empty()) return std::nullopt;
  if (ascii::EqualNoCase(*clean_user, "anonymous") || IsAnonymousHost(clean_host)) {
    return std::string(kAnonymousAddress);
  }
  std::string out = "sip:";
  if (!clean_user->empty()) out.append(*clean_user).append("@");
  out += clean_host;
  if (out.size() > kMaxAddress) return std::nullopt;
  return out;
}

}  // namespace

std::optional<std::string> Canonical(std::string_view address) {
  std::string_view uri = StripName(Trim(address));
  if (AcceptScheme(uri, "tel:")) {
    if (ascii::EqualNoCase(Trim(uri.substr(0, uri.find_first_of(";?"))), "anonymous")) {
      return std::string(kAnonymousAddress);
    }
    return Tel(Number(Trim(uri.substr(0, uri.find_first_of(";?"))), kSeparators, /*local_symbols=*/true));
  }
  if (AcceptScheme(uri, "sips:") || AcceptScheme(uri, "sip:")) return Sip(Trim(uri));
  if (ascii::EqualNoCase(uri, "anonymous") || ascii::EqualNoCase(uri, "\"anonymous\"") ||
      ascii::EqualNoCase(uri, "anonymous@anonymous.invalid")) {
    return std::string(kAnonymousAddress);
  }
  return std::nullopt;
}

namespace {

/// Canonical(), or what a person types: a number or user@host without a scheme.
std::optional<std::string> Typed(std::string_view text) {
  text = Trim(text);
  auto address = Canonical(text);
  if (!address && text.find_first_of("<>:") == std::string_view::npos) {
    const bool digits_only = !text.empty() && std::all_of(text.begin(), text.end(), ascii::IsDigit);
    if (digits_only) {
      address = Tel("+" + std::string(text));
    } else if (text.starts_with('+')) {
      address = Tel(Number(text, kTypedSeparators, /*local_symbols=*/false));
    }
    if (!address && text.find('@') != std::string_view::npos) address = Sip(text);
  }
  return address;
}

/// Octets before the next comma of a list, those in quotes and angle brackets aside.
std::size_t ListItemLength(std::string_view text) {
  bool quoted = false;
  bool bracketed = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == '<' || text[i] == '>')) {
      bracketed = text[i] == '<';
    } else if (!quoted && !bracketed && text[i] == ',') {
      return i;
    }
  }
  return text.size();
}

}  // namespace

std::optional<std::string> ParseLogin(std::string_view text) {
  auto address = Typed(text);
  if (address && *address == kAnonymousAddress) return std::nullopt;
  return address;
}

std::optional<std::string> ParsePeer(std::string_view value) {
  value = value.substr(0, kMaxAddressList);
  std::optional<std::string> best;
  for (std::size_t i = 0; i < kMaxAddresses && !value.empty(); ++i) {
    const std::size_t length = ListItemLength(value);
    const std::string_view item = Trim(value.substr(0, length));
    value.remove_prefix(std::min(length + 1, value.size()));

    auto address = Typed(item);
    // A bare number in brackets or behind a name: what clients put into From and To.
    if (!address) address = Typed(StripName(item));
    if (!address) continue;
    if (*address == kAnonymousAddress) return address;
    if (!best || (address->starts_with("tel:") && !best->starts_with("tel:"))) best = std::move(address);
  }
  return best;
}

}  // namespace protocol::cpm
