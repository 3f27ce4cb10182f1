// Any octets: a CPIM body that is read lies within what was given, also when only its beginning is seen, and
// a header that is written anew reads the same.

#include "protocol/cpm/cpim.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto whole = protocol::cpm::ReadCpim(body);
  const auto seen = protocol::cpm::ReadCpim(body.substr(0, std::min<std::size_t>(size, 200)), size);
  for (const auto& cpim : {whole, seen}) {
    if (!cpim) continue;
    if (cpim->content_begin > size || cpim->content_size > size - cpim->content_begin) std::abort();
  }
  if (!whole) return 0;
  std::vector<protocol::cpm::CpimLine> lines;
  for (const auto& field : whole->fields) {
    if (field.namespace_uri.empty()) lines.push_back({field.name, field.value});
  }
  if (lines.empty()) return 0;
  const auto again = protocol::cpm::ReadCpim(
      protocol::cpm::WriteCpim(lines, {.type = "text/plain", .octets = body.substr(whole->content_begin)}));
  if (!again || again->fields.size() != lines.size()) std::abort();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (again->fields[i].value != lines[i].value) std::abort();
  }
  return 0;
}
