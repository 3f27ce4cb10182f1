#include "server/references/external_body.h"

#include <algorithm>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "protocol/mime/parameters.h"
#include "protocol/model/ascii.h"

namespace server::references {
namespace {

namespace ascii = protocol::ascii;

/// RFC 5322 §2.1.1 allows 998 octets a line; RFC 2017 lets a URL be broken by white space.
constexpr std::size_t kUrlPiece = 900;

std::string Folded(std::string_view url) {
  std::string out;
  while (url.size() > kUrlPiece) {
    out += url.substr(0, kUrlPiece);
    out += "\r\n ";
    url.remove_prefix(kUrlPiece);
  }
  return out.append(url);
}

}  // namespace

std::string WriteExternalBody(const ContentHead& head, std::string_view url, std::int64_t expires,
                              std::uint64_t size, std::string_view sha1) {
  std::string out = fmt::format(
      "Content-Type: message/external-body; access-type=\"URL\";\r\n"
      " expiration=\"{:%a, %d %b %Y %H:%M:%S} GMT\"; size={};\r\n",
      fmt::gmtime(static_cast<std::time_t>(expires)), size);
  if (!sha1.empty()) out += fmt::format(" hash=\"{}\";\r\n", sha1);
  out += fmt::format(" URL=\"{}\"\r\n\r\n", Folded(url));
  out += fmt::format("Content-Type: {}\r\n", head.type);
  if (!head.id.empty()) out += fmt::format("Content-ID: {}\r\n", head.id);
  if (!head.description.empty()) out += fmt::format("Content-Description: {}\r\n", head.description);
  if (!head.disposition.empty()) out += fmt::format("Content-Disposition: {}\r\n", head.disposition);
  return out + "\r\n";
}

std::optional<std::string> ExternalUrl(std::string_view content_type) {
  const auto value = protocol::mime::ParseStructuredValue(content_type);
  if (!ascii::EqualNoCase(value.type, "message") || !ascii::EqualNoCase(value.subtype, "external-body"))
    return std::nullopt;
  const auto* access = value.Find("access-type");
  const auto* url = value.Find("URL");
  if (access == nullptr || url == nullptr || !ascii::EqualNoCase(*access, "URL")) return std::nullopt;
  std::string out = *url;
  std::erase_if(out, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return out;
}

}  // namespace server::references
