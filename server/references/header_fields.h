#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Headers that are taken apart and put together again, each field as it stood.
namespace server::references {

/// Lifetime: the header's.
struct HeaderField {
  std::string_view name;
  std::string_view lines;  ///< all of it, with its line ends
};

std::vector<HeaderField> FieldsOf(std::string_view header);
bool Has(const std::vector<HeaderField>& fields, std::string_view name);
/// Behind what `out` holds; the last field of a header may have no line end.
void AddLines(std::string& out, std::string_view lines);

}  // namespace server::references
