#include "server/imap/fetch/flags_writer.h"

#include <algorithm>
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
char* Put(char* at, std::uint64_t number) { return std::to_chars(at, at + 20, number).ptr; }

}  // namespace

bool FlagsWriter::Write(std::string& out, const storage::MessageState& state) {
  const auto seq = cursor_.SeqOf(state.uid);
  if (!seq) return false;
  char head[48];
  char* at = Put(head, "* ");
  at = Put(at, items_.uid_only ? state.uid.value : seq->value);
  at = items_.uid_only ? Put(at, " UIDFETCH (") : Put(at, " FETCH (");
  if (items_.uid) {
    at = Put(at, "UID ");
    at = Put(at, state.uid.value);
    *at++ = ' ';
  }
  out.append(head, static_cast<std::size_t>(at - head));
  out.append(items_.flags ? std::string_view(TailOf(state.flags, view_.IsRecent(state.uid)))
                          : std::string_view("MODSEQ ("));
  if (!items_.modseq) return true;
  highest_modseq_ = std::max(highest_modseq_, state.modseq);
  char rest[32];
  at = Put(rest, state.modseq.value);
  at = Put(at, "))\r\n");
  out.append(rest, static_cast<std::size_t>(at - rest));
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
  tail.text += items_.modseq ? " MODSEQ (" : ")\r\n";
  tails_.push_back(std::move(tail));
  return tails_.back().text;
}

}  // namespace server::imap
