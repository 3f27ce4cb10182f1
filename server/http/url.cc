#include "server/http/url.h"

#include <set>

#include <fmt/format.h>

namespace server::http {
namespace {

constexpr std::size_t kShownName = 40;  ///< of what a caller has sent

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

/// Takes the text up to `end` off the front.
std::string_view TakeUntil(std::string_view& text, char end) {
  const auto found = text.find(end);
  const auto taken = text.substr(0, found);
  text.remove_prefix(found == std::string_view::npos ? text.size() : found + 1);
  return taken;
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string FaultOfQuery(std::string_view query, std::string_view known) {
  const auto is_known = [&](std::string_view name) {
    for (auto left = known; !left.empty();)
      if (TakeUntil(left, ' ') == name) return true;
    return false;
  };
  std::set<std::string_view> seen;
  while (!query.empty()) {
    auto value = TakeUntil(query, '&');
    const auto name = TakeUntil(value, '=');
    const auto shown = PercentEncode(name.substr(0, kShownName));
    if (!PercentDecode(value))
      return fmt::format("The query's \"{}\" is percent-encoded wrongly: a \"%\" is \"%25\"", shown);
    if (known == kAnyNames) continue;
    if (!is_known(name))
      return fmt::format("The query's \"{}\" is unknown here: {}{}", shown,
                         known.empty() ? "there is nothing to be said" : "it may have ", known);
    if (!seen.insert(name).second) return fmt::format("The query has \"{}\" twice: say it once", shown);
  }
  return {};
}

std::optional<std::string> QueryValue(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    auto value = TakeUntil(query, '&');
    if (TakeUntil(value, '=') == name) return PercentDecode(value);
  }
  return std::nullopt;
}

std::vector<std::string> QueryValues(std::string_view query, std::string_view name) {
  std::vector<std::string> values;
  while (!query.empty()) {
    auto value = TakeUntil(query, '&');
    if (TakeUntil(value, '=') != name) continue;
    if (auto decoded = PercentDecode(value)) values.push_back(*std::move(decoded));
  }
  return values;
}

std::optional<std::map<std::string, std::string, std::less<>>> MatchPath(std::string_view pattern,
                                                                         std::string_view path) {
  std::map<std::string, std::string, std::less<>> parameters;
  while (!pattern.empty() || !path.empty()) {
    if (pattern.empty() || path.empty()) return std::nullopt;
    const auto wanted = TakeUntil(pattern, '/');
    const auto got = TakeUntil(path, '/');
    if (!wanted.starts_with('{')) {
      if (wanted != got) return std::nullopt;
      continue;
    }
    auto value = PercentDecode(got);
    if (!value || value->empty()) return std::nullopt;
    parameters.emplace(wanted.substr(1, wanted.size() - 2), *std::move(value));
  }
  return parameters;
}

}  // namespace server::http
