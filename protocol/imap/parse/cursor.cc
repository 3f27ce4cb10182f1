#include "protocol/imap/parse/cursor.h"

#include "protocol/model/ascii.h"

namespace protocol {

void Cursor::FailAt(std::size_t offset, std::string_view expected) {
  if (failed_) return;
  failed_ = true;
  error_ = {.offset = offset, .expected = expected};
}

void Cursor::FailIncomplete() {
  if (failed_) return;
  failed_ = true;
  error_ = {.offset = at_, .expected = "literal", .incomplete = true};
}

void Cursor::FailTooBig() {
  if (failed_) return;
  failed_ = true;
  error_ = {.offset = at_, .expected = "a shorter literal", .too_big = true};
}

bool Cursor::PeekWord(std::string_view word) const {
  return !failed_ && ascii::EqualNoCase(octets_.substr(at_, word.size()), word);
}

bool Cursor::Accept(char c) {
  if (!Peek(c)) return false;
  ++at_;
  return true;
}

bool Cursor::AcceptWord(std::string_view word) {
  if (!PeekWord(word)) return false;
  at_ += word.size();
  return true;
}

void Cursor::Expect(char c, std::string_view expected) {
  if (!Accept(c)) Fail(expected);
}

void Cursor::Word(std::string_view word) {
  if (!AcceptWord(word)) Fail(word);
}

std::string_view Cursor::Take(std::size_t n) {
  if (failed_) return {};
  const std::string_view taken = octets_.substr(at_, n);
  at_ += n;
  return taken;
}

void Cursor::EndOfLine() {
  if (failed_) return;
  const std::size_t start = at_;
  Accept('\r');
  if (Accept('\n') && at_ == octets_.size()) return;
  FailAt(start, "CRLF");
}

}  // namespace protocol
