#include "protocol/model/rights.h"

namespace protocol {
namespace {

constexpr Rights kCreateGroup = Right::kCreate | Right::kDeleteMailbox;    // "c"
constexpr Rights kDeleteGroup = Right::kDeleteMessages | Right::kExpunge;  // "d"

std::optional<Rights> RightsOf(char letter) {
  if (letter == 'c') return kCreateGroup;
  if (letter == 'd') return kDeleteGroup;
  const std::size_t at = kRightLetters.find(letter);
  if (at == std::string_view::npos) return std::nullopt;
  return Rights(static_cast<Right>(at));
}

}  // namespace

std::optional<Rights> Rights::Parse(std::string_view letters) {
  Rights out;
  for (const char letter : letters) {
    const auto rights = RightsOf(letter);
    if (!rights) return std::nullopt;
    out = out | *rights;
  }
  return out;
}

std::string Rights::Letters() const {
  std::string out;
  for (int i = 0; i < kRightCount; ++i) {
    if (Has(static_cast<Right>(i))) out += Letter(static_cast<Right>(i));
  }
  if (HasAny(kCreateGroup)) out += 'c';
  if (HasAny(kDeleteGroup)) out += 'd';
  return out;
}

Rights RightsChange::ApplyTo(Rights before) const {
  switch (op) {
    case Op::kReplace: return rights;
    case Op::kAdd: return before | rights;
    case Op::kRemove: return before - rights;
  }
  return before;
}

}  // namespace protocol
