#include "server/imap/list/list_query.h"

#include <algorithm>

namespace server::imap::list {

Query::Query(const protocol::command::List& cmd)
    : subscribed(cmd.select.subscribed),
      special_use(cmd.select.special_use),
      recursive(cmd.select.recursive_match),
      extended(cmd.extended),
      returns(cmd.returns) {
  // A selection option implies the return option of its name (RFC 5258 §3.1, RFC 6154 §2). REMOTE adds the
  // mailboxes of other servers, of which there are none.
  returns.subscribed |= subscribed;
  returns.special_use |= special_use;
  for (const auto& pattern : cmd.patterns) {
    if (!pattern.empty()) patterns.emplace_back(cmd.reference + pattern);  // "" matches nothing: RFC 5258 §3
  }
}

Query::Query(const protocol::command::Lsub& cmd) : subscribed(true), lsub(true) {
  patterns.emplace_back(cmd.reference + cmd.pattern);
  // RFC 3501 §6.3.9: where "%" hides a subscribed name, its superior is shown.
  recursive = patterns.front().has_percent();
}

std::string_view Query::CommonPrefix() const {
  if (patterns.empty()) return {};
  std::string_view common = patterns.front().literal_prefix();
  for (const auto& pattern : patterns) {
    const std::string_view other = pattern.literal_prefix();
    common =
        common.substr(0, static_cast<std::size_t>(std::ranges::mismatch(common, other).in1 - common.begin()));
  }
  return common;
}

bool Query::MayMatchBelow(std::string_view name) const {
  const std::string_view common = CommonPrefix();
  return !patterns.empty() && (name.starts_with(common) || common.starts_with(name));
}

bool Query::AsksLevels() const {
  return std::ranges::any_of(patterns, [](const auto& pattern) { return pattern.has_percent(); });
}

bool Query::Matches(std::string_view name) const {
  return std::ranges::any_of(patterns, [&](const auto& pattern) { return pattern.Matches(name); });
}

}  // namespace server::imap::list
