#include "protocol/mime/wire.h"

#include <algorithm>

namespace protocol::mime {

void AppendString(std::string_view value, std::size_t max, std::string& out) {
  value = value.substr(0, max);
  bool escape = false;
  bool literal = false;
  bool nul = false;
  for (const char c : value) {
    escape |= c == '"' || c == '\\';
    literal |= static_cast<signed char>(c) < 0 || c == '\r' || c == '\n';
    nul |= c == '\0';
  }
  if (nul) {
    std::string clean(value);
    std::erase(clean, '\0');
    return AppendString(clean, max, out);
  }
  if (literal) {
    out += '{';
    out += std::to_string(value.size());
    out += "}\r\n";
    out += value;
    return;
  }
  out += '"';
  if (!escape) {
    out += value;
  } else {
    for (const char c : value) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

}  // namespace protocol::mime
