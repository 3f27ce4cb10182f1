#include "tests/support/transcript_pattern.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace tests::transcript {
namespace {

constexpr std::string_view kAny = "...";

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool IsNameStart(char c) { return c >= 'a' && c <= 'z'; }

bool IsNameChar(char c) { return IsNameStart(c) || (c >= '0' && c <= '9') || c == '_'; }

/// The name after the '$' at `at`; empty: a dollar sign that is one.
std::string_view NameAt(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  if (end >= text.size() || !IsNameStart(text[end])) return {};
  while (end < text.size() && IsNameChar(text[end])) ++end;
  return text.substr(at + 1, end - at - 1);
}

bool IsEscape(std::string_view text, std::size_t at) {
  return at + 3 < text.size() && text[at] == '\\' && text[at + 1] == 'x' && IsHex(text[at + 2]) &&
         IsHex(text[at + 3]);
}

char EscapedOctet(std::string_view text, std::size_t at) {
  return static_cast<char>(std::stoi(std::string(text.substr(at + 2, 2)), nullptr, 16));
}

/// The longest that a name may bind at `at`.
std::size_t TokenLength(std::string_view line, std::size_t at) {
  const bool quoted = at > 0 && line[at - 1] == '"';
  const auto end = line.find_first_of(quoted ? "\"" : " \"()[]{}", at);
  return (end == std::string_view::npos ? line.size() : end) - at;
}

bool MatchesFrom(std::string_view pattern, std::size_t p, std::string_view line, std::size_t at,
                 Bindings& bindings) {
  while (p < pattern.size()) {
    if (pattern.substr(p, kAny.size()) == kAny) {
      for (std::size_t skip = at; skip <= line.size(); ++skip) {
        if (MatchesFrom(pattern, p + kAny.size(), line, skip, bindings)) return true;
      }
      return false;
    }
    if (pattern[p] == '$') {
      const std::string_view name = NameAt(pattern, p);
      if (!name.empty()) {
        const auto bound = bindings.find(name);
        if (bound != bindings.end()) {
          if (line.substr(at, bound->second.size()) != bound->second) return false;
          return MatchesFrom(pattern, p + 1 + name.size(), line, at + bound->second.size(), bindings);
        }
        for (std::size_t length = TokenLength(line, at); length > 0; --length) {
          Bindings with = bindings;
          with.emplace(name, line.substr(at, length));
          if (!MatchesFrom(pattern, p + 1 + name.size(), line, at + length, with)) continue;
          bindings = std::move(with);
          return true;
        }
        return false;
      }
    }
    const bool escape = IsEscape(pattern, p);
    const char expected = escape ? EscapedOctet(pattern, p) : pattern[p];
    if (at == line.size() || line[at] != expected) return false;
    ++at;
    p += escape ? 4 : 1;
  }
  return at == line.size();
}

bool MatchesFromLine(const std::vector<std::string>& patterns, const std::vector<std::string>& lines,
                     std::size_t first, std::vector<bool>& used, Bindings& bindings) {
  if (first == patterns.size()) return true;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (used[i]) continue;
    Bindings with = bindings;
    if (!Matches(patterns[first], lines[i], with)) continue;
    used[i] = true;
    if (MatchesFromLine(patterns, lines, first + 1, used, with)) {
      bindings = std::move(with);
      return true;
    }
    used[i] = false;
  }
  return false;
}

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" ()[]"), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

std::string Unescape(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (IsEscape(text, i)) {
      octets += EscapedOctet(text, i);
      i += 3;
    } else {
      octets += text[i];
    }
  }
  return octets;
}

std::string Escape(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f) {
      text += fmt::format("\\x{:02x}", octet);
    } else {
      text += c;
    }
  }
  return text;
}

std::string Substitute(std::string_view text, const Bindings& bindings) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view name = text[i] == '$' ? NameAt(text, i) : std::string_view();
    const auto bound = name.empty() ? bindings.end() : bindings.find(name);
    if (bound == bindings.end()) {
      out += text[i];
      continue;
    }
    out += bound->second;
    i += name.size();
  }
  return out;
}

bool Matches(std::string_view pattern, std::string_view line, Bindings& bindings) {
  Bindings with = bindings;
  if (!MatchesFrom(pattern, 0, line, 0, with)) return false;
  bindings = std::move(with);
  return true;
}

bool MatchesInAnyOrder(const std::vector<std::string>& patterns, const std::vector<std::string>& lines,
                       Bindings& bindings) {
  if (patterns.size() != lines.size()) return false;
  std::vector<bool> used(lines.size(), false);
  Bindings with = bindings;
  if (!MatchesFromLine(patterns, lines, 0, used, with)) return false;
  bindings = std::move(with);
  return true;
}

std::optional<std::string> MissingWord(std::string_view words, std::string_view line,
                                       const Bindings& bindings) {
  const auto there = WordsOf(line);
  std::multiset<std::string> left(there.begin(), there.end());
  for (const std::string& word : WordsOf(words)) {
    if (word.starts_with('!')) {
      if (left.contains(word.substr(1))) return word;
      continue;
    }
    const auto found = left.find(Substitute(word, bindings));
    if (found == left.end()) return word;
    left.erase(found);
  }
  return std::nullopt;
}

}  // namespace tests::transcript
