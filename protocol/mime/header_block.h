#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace protocol::mime {

/// One field of a header block, all views into it.
struct HeaderField {
  std::string_view name;   ///< up to the colon, without white space; empty where the line has no colon
  std::string_view value;  ///< behind the colon, folding and line end included
  std::string_view lines;  ///< the whole field with its line ends
};

/// Walks a header block field by field; the empty line that ends the block is not a field.
///
/// Lifetime   the block's octets outlive the reader and its fields.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view block) : rest_(block) {}

  std::optional<HeaderField> Next();

  /// What Next() has not given: the empty line after the last field, or nothing.
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

/// `value` on one line, trimmed: a line break and the white space around it become one space. NULs and stray
/// CRs go.
std::string Unfold(std::string_view value);

/// Without leading and trailing space, tab, CR and LF.
std::string_view Trim(std::string_view text);

}  // namespace protocol::mime
