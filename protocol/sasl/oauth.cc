#include "protocol/sasl/oauth.h"

#include <algorithm>

#include "protocol/model/ascii.h"
#include "protocol/sasl/identity.h"

namespace protocol::sasl {
namespace {

constexpr char kSeparator = '\x01';
constexpr std::size_t kMaxMessage = 16 * 1024;
constexpr std::size_t kMaxPairs = 16;

/// saslname of RFC 5801 §4: ',' and '=' are escaped.
std::optional<std::string> Unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const bool comma = text.starts_with("=2C");
    if (comma || text.starts_with("=3D")) {
      out += comma ? ',' : '=';
      text.remove_prefix(3);
      continue;
    }
    if (text.front() == '=') return std::nullopt;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

// b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="       ; RFC 6750 §2.1
bool IsToken(std::string_view text) {
  const auto end = text.find_last_not_of('=');
  return end != std::string_view::npos && std::ranges::all_of(text.substr(0, end + 1), [](char c) {
           return ascii::IsAlpha(c) || ascii::IsDigit(c) ||
                  std::string_view("-._~+/").find(c) != std::string_view::npos;
         });
}

}  // namespace

// client-resp = gs2-header kvsep *kvpair kvsep                        ; RFC 7628 §3.1
// kvpair      = key "=" value kvsep
std::optional<OauthMessage> ReadOauthMessage(std::string_view message) {
  if (message.size() > kMaxMessage) return std::nullopt;
  const auto header_end = message.find(kSeparator);
  if (header_end == std::string_view::npos) return std::nullopt;
  auto header = message.substr(0, header_end);
  if (!header.starts_with("n,") && !header.starts_with("y,")) return std::nullopt;
  header.remove_prefix(2);
  if (!header.ends_with(',') || header.find(',') != header.size() - 1) return std::nullopt;
  header.remove_suffix(1);

  OauthMessage out;
  if (!header.empty()) {
    auto name = header.starts_with("a=") ? Unescape(header.substr(2)) : std::nullopt;
    if (!name || !IsAcceptable(*name)) return std::nullopt;
    out.authzid = *std::move(name);
  }
  auto rest = message.substr(header_end + 1);
  for (std::size_t pairs = 0; !rest.empty() && rest.front() != kSeparator; ++pairs) {
    const auto end = rest.find(kSeparator);
    const auto pair = rest.substr(0, end);
    const auto equals = pair.find('=');
    if (end == std::string_view::npos || equals == std::string_view::npos || pairs >= kMaxPairs)
      return std::nullopt;
    if (pair.substr(0, equals) == "auth") {
      const auto value = pair.substr(equals + 1);
      constexpr std::string_view kScheme = "Bearer ";
      if (!out.token.empty() || !ascii::EqualNoCase(value.substr(0, kScheme.size()), kScheme))
        return std::nullopt;
      const auto token = value.substr(kScheme.size());
      if (!IsToken(token)) return std::nullopt;
      out.token = token;
    }
    rest.remove_prefix(end + 1);
  }
  // Without "auth" it is a question for what would be needed; we tell no more than with a bad token.
  if (rest.size() != 1 || out.token.empty()) return std::nullopt;
  return out;
}

}  // namespace protocol::sasl
