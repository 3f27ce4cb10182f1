#include "protocol/imap/write/flags.h"

#include <array>
#include <bit>

namespace protocol::write {
namespace {

constexpr std::size_t kCombinations = std::size_t{1} << kSystemFlagCount;

struct FlagTexts {
  std::array<std::string, kCombinations> open;  ///< "(\Answered \Seen"
};

/// All combinations of system flags, so that the common FETCH FLAGS is one append.
const FlagTexts& Texts() {
  static const FlagTexts texts = [] {
    FlagTexts made;
    for (std::size_t bits = 0; bits < kCombinations; ++bits) {
      std::string& text = made.open[bits];
      text = "(";
      for (int i = 0; i < kSystemFlagCount; ++i) {
        if ((bits >> i & 1U) == 0) continue;
        if (text.size() > 1) text += ' ';
        text += Name(static_cast<SystemFlag>(i));
      }
    }
    return made;
  }();
  return texts;
}

void Open(std::string& out, std::uint32_t system_bits) {
  out += Texts().open[system_bits & (kCombinations - 1)];
}

void Separate(std::string& out) {
  if (out.back() != '(') out += ' ';
}

void Close(std::string& out, bool recent) {
  if (recent) {
    Separate(out);
    out += "\\Recent";
  }
  out += ')';
}

}  // namespace

void FlagList(std::string& out, std::uint32_t system_bits, std::uint64_t keyword_bits,
              std::span<const std::string> keyword_table, bool recent) {
  Open(out, system_bits);
  while (keyword_bits != 0) {
    const auto i = static_cast<std::size_t>(std::countr_zero(keyword_bits));
    keyword_bits &= keyword_bits - 1;
    if (i >= keyword_table.size()) break;
    Separate(out);
    out += keyword_table[i];
  }
  Close(out, recent);
}

void FlagList(std::string& out, const FlagSet& flags, bool recent) {
  Open(out, flags.system_bits());
  for (const std::string& keyword : flags.keywords()) {
    Separate(out);
    out += keyword;
  }
  Close(out, recent);
}

void FlagsLine(std::string& out, const FlagSet& flags) {
  out += "* FLAGS ";
  FlagList(out, flags);
  out += "\r\n";
}

}  // namespace protocol::write
