#include "server/imap/fetch/flags_writer.h"

#include <charconv>
#include <cstring>

#include "protocol/imap/write/flags.h"

namespace server::imap {
namespace {

template <std::size_t N>
char* Put(char* at, const char (&text)[N]) {
  std::memcpy(at, text, N - 1);
  return at + N - 1;
}

char* Put(char* at, std::uint32_t number) { return std::to_chars(at, at + 10, number).ptr; }

}  // namespace

bool FlagsWriter::Write(std::string& out, const storage::MessageState& state) {
  const auto seq = cursor_.SeqOf(state.uid);
  if (!seq) return false;
  const std::string& tail = TailOf(state.flags, view_.IsRecent(state.uid));
  char head[48];
  char* at = Put(head, "* ");
  at = Put(at, seq->value);
  at = Put(at, " FETCH (");
  if (with_uid_) {
    at = Put(at, "UID ");
    at = Put(at, state.uid.value);
    *at++ = ' ';
  }
  out.append(head, static_cast<std::size_t>(at - head));
  out.append(tail);
  return true;
}

const std::string& FlagsWriter::TailOf(const storage::FlagBits& flags, bool recent) {
  // Neighbours mostly have the same flags.
  if (last_ < tails_.size() && tails_[last_].flags == flags && tails_[last_].recent == recent) {
    return tails_[last_].text;
  }
  for (last_ = 0; last_ < tails_.size(); ++last_) {
    if (tails_[last_].flags == flags && tails_[last_].recent == recent) return tails_[last_].text;
  }
  if (tails_.size() == kMaxTails) tails_.clear();
  last_ = tails_.size();
  Tail tail{flags, recent, "FLAGS "};
  protocol::write::FlagList(tail.text, flags.system, flags.keywords, view_.keywords(), recent);
  tail.text += ")\r\n";
  tails_.push_back(std::move(tail));
  return tails_.back().text;
}

}  // namespace server::imap
