#include "protocol/imap/object_id.h"

#include <charconv>

#include "protocol/imap/write/string.h"

namespace protocol {

void AppendMailboxId(std::string& out, FolderId folder) {
  out += 'F';
  write::Number(out, folder.value);
}

void AppendEmailId(std::string& out, ObjectId object) {
  out += 'M';
  write::Number(out, object.value);
}

std::optional<ObjectId> ParseEmailId(std::string_view text) {
  if (text.size() < 2 || text.front() != 'M' || (text[1] == '0' && text.size() > 2)) return std::nullopt;
  ObjectId object;
  const auto [end, ec] = std::from_chars(text.data() + 1, text.data() + text.size(), object.value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return object;
}

}  // namespace protocol
