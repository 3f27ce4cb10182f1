#include "protocol/model/flags.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "protocol/model/ascii.h"

namespace protocol {
namespace {

constexpr std::array<std::string_view, kSystemFlagCount> kNames{"\\Answered", "\\Flagged", "\\Deleted",
                                                                "\\Seen", "\\Draft"};

/// The name that stands for both spellings.
std::string_view OneName(std::string_view keyword) {
  return ascii::EqualNoCase(keyword, "\\Archived") ? kArchivedKeyword : keyword;
}

auto Position(const std::vector<std::string>& keywords, std::string_view name) {
  return std::lower_bound(keywords.begin(), keywords.end(), name,
                          [](std::string_view a, std::string_view b) { return CompareKeywords(a, b) < 0; });
}

}  // namespace

std::string_view Name(SystemFlag flag) { return kNames[static_cast<std::size_t>(flag)]; }

bool SameKeyword(std::string_view a, std::string_view b) {
  return ascii::EqualNoCase(OneName(a), OneName(b));
}

int CompareKeywords(std::string_view a, std::string_view b) {
  return ascii::CompareNoCase(OneName(a), OneName(b));
}

std::string_view KeywordSpelling(std::string_view name) {
  for (const auto offered : kOfferedKeywords) {
    if (ascii::EqualNoCase(offered, name)) return offered;
  }
  return name;
}

void FlagSet::Insert(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (ascii::EqualNoCase(kNames[i], name)) return Insert(static_cast<SystemFlag>(i));
  }
  const auto at = Position(keywords_, name);
  if (at != keywords_.end() && SameKeyword(*at, name)) return;
  keywords_.emplace(at, name);
}

bool FlagSet::Contains(std::string_view name) const {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (ascii::EqualNoCase(kNames[i], name)) return Contains(static_cast<SystemFlag>(i));
  }
  const auto at = Position(keywords_, name);
  return at != keywords_.end() && SameKeyword(*at, name);
}

bool operator==(const FlagSet& a, const FlagSet& b) {
  return a.system_ == b.system_ && std::equal(a.keywords_.begin(), a.keywords_.end(), b.keywords_.begin(),
                                              b.keywords_.end(), SameKeyword);
}

}  // namespace protocol
