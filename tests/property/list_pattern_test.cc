// LIST's patterns against a matcher that is as simple as the rule.
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocol/model/mailbox_name.h"

namespace protocol {
namespace {

/// RFC 3501 §6.3.8 word for word; `pattern` is canonical.
bool Matches(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  const char c = pattern.front();
  if (c != '*' && c != '%') {
    return !name.empty() && name.front() == c && Matches(name.substr(1), pattern.substr(1));
  }
  for (std::size_t taken = 0;; ++taken) {
    if (Matches(name.substr(taken), pattern.substr(1))) return true;
    if (taken == name.size() || (c == '%' && name[taken] == '/')) return false;
  }
}

rc::Gen<std::string> Text(const std::string& letters, std::size_t longest) {
  return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, longest + 1), [letters](std::size_t size) {
    return rc::gen::container<std::string>(size, rc::gen::elementOf(letters));
  });
}

/// Few letters, so that much nearly matches.
rc::Gen<std::string> Names() { return Text("aab/", 12); }
rc::Gen<std::string> Patterns() { return Text("aab/%*", 10); }

/// Names longer than a machine word has bits, with what matches around that border.
rc::Gen<std::string> LongNames() {
  return rc::gen::map(rc::gen::pair(rc::gen::inRange<std::size_t>(55, 135), Names()), [](const auto& parts) {
    return std::string(parts.first, 'a') + parts.second + std::string(70, 'b');
  });
}

RC_GTEST_PROP(ListPatternTest, MatchesAsTheRuleSays, ()) {
  const std::string name = *Names();
  const std::string pattern = *Patterns();
  const bool expected = Matches(name, pattern);
  RC_TAG(expected);
  RC_ASSERT(ListPattern(pattern).Matches(name) == expected);
}

RC_GTEST_PROP(ListPatternTest, LongNamesMatchAsTheRuleSays, ()) {
  const std::string name = *LongNames();
  // At most three wildcards: the rule's own way is exponential in them.
  const std::string pattern = *rc::gen::element<std::string>(
      "*", "%", "*b", "%b", "a%", "*/%", "%/%", "%a/b%", "*a/%b", "%a%/b*", "%b%", "a%b/%b", "*ab%b");
  RC_ASSERT(ListPattern(pattern).Matches(name) == Matches(name, pattern));
}

RC_GTEST_PROP(ListPatternTest, WhatMatchesBeginsWithTheLiteralPrefix, ()) {
  const std::string name = *Names();
  const ListPattern pattern(*Patterns());
  RC_PRE(pattern.Matches(name));
  RC_ASSERT(name.starts_with(pattern.literal_prefix()));
}

TEST(ListPatternTest, OnlyALeadingInboxIsWithoutCase) {
  struct Case {
    const char* name;
    const char* pattern;
    bool matches;
  };
  const Case cases[] = {
      {"INBOX", "inbox", true},      {"INBOX", "InBox", true},      {"INBOX/a", "inbox/%", true},
      {"INBOX/a", "inbox/A", false}, {"INBOX", "inb%", false},      {"INBOX", "INB%", true},
      {"INBOX", "%nbox", false},     {"a/INBOX", "a/inbox", false}, {"INBOXES", "inboxes", false},
      {"inboxes", "inboxes", true},  {"INBOX/a", "inbox*", false},  {"INBOX/INBOX", "inbox/inbox", false},
      {"a/b", "a/*", true},          {"a/", "a/*", true},           {"a", "a/*", false},
      {"a/b/c", "a/%", false},       {"a/b", "a/%", true},          {"ab", "a", false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(ListPattern(c.pattern).Matches(c.name), c.matches) << c.name << c.pattern;
}

TEST(ListPatternTest, ManyWildcardsAgainstALongNameAreQuick) {
  // The old way took hours for this; so this test would not end.
  const std::string name(1000, 'a');
  std::string pattern;
  for (int i = 0; i < 330; ++i) pattern += "a%a*";
  pattern += "*b";
  EXPECT_FALSE(ListPattern(pattern).Matches(name));
  pattern.back() = 'a';
  EXPECT_TRUE(ListPattern(pattern).Matches(name));
}

}  // namespace
}  // namespace protocol
