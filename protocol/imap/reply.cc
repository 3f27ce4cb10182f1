#include "protocol/imap/reply.h"

namespace protocol {
namespace {

std::string_view Word(Reply::Status status) {
  switch (status) {
    case Reply::Status::kOk: return "OK ";
    case Reply::Status::kNo: return "NO ";
    case Reply::Status::kBad: return "BAD ";
    case Reply::Status::kBye: return "BYE ";
    case Reply::Status::kPreauth: return "PREAUTH ";
  }
  return "BAD ";
}

/// text = 1*TEXT-CHAR: never empty, never CR, LF, NUL or 8-bit. Other controls are legal but no use to
/// anybody.
void Text(std::string& out, std::string_view text) {
  if (text.empty()) out += "Done";
  for (const char c : text) out += c >= 0x20 && c < 0x7f ? c : '?';
}

}  // namespace

void WriteTagged(std::string& out, std::string_view tag, const Reply& reply) {
  out += tag.empty() ? std::string_view("*") : tag;
  out += ' ';
  out += Word(reply.status);
  Write(out, reply.code);
  Text(out, reply.text);
  out += "\r\n";
}

void WriteUntagged(std::string& out, const Reply& reply) { WriteTagged(out, {}, reply); }

void WriteContinuation(std::string& out, std::string_view text) {
  out += "+ ";
  out += text;
  out += "\r\n";
}

}  // namespace protocol
