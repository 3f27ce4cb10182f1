#include "server/auth/act_for.h"

#include <algorithm>

namespace server::auth {
namespace {

/// Greedy with one way back, so the time is at most the product of the lengths.
bool Matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace

bool ActFor::Allows(std::string_view address) const {
  return std::ranges::any_of(patterns_, [&](const std::string& p) { return Matches(p, address); });
}

}  // namespace server::auth
