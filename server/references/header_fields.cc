#include "server/references/header_fields.h"

#include <algorithm>

#include "protocol/mime/header_block.h"
#include "protocol/model/ascii.h"

namespace server::references {

std::vector<HeaderField> FieldsOf(std::string_view header) {
  std::vector<HeaderField> out;
  protocol::mime::HeaderReader reader(header);
  while (const auto field = reader.Next())
    if (!field->name.empty()) out.push_back({field->name, field->lines});
  return out;
}

bool Has(const std::vector<HeaderField>& fields, std::string_view name) {
  return std::ranges::any_of(
      fields, [&](const HeaderField& field) { return protocol::ascii::EqualNoCase(field.name, name); });
}

void AddLines(std::string& out, std::string_view lines) {
  out += lines;
  if (!lines.ends_with('\n')) out += "\r\n";
}

}  // namespace server::references
