#include "protocol/mime/parameters.h"

#include <algorithm>
#include <cstdint>

#include "protocol/mime/header_block.h"
#include "protocol/model/ascii.h"

namespace protocol::mime {
namespace {

constexpr std::size_t kMaxParameters = 64;
constexpr std::string_view kTokenEnd = " \t\r\n()<>@,;:\\\"/[]?=";

class ValueParser {
 public:
  explicit ValueParser(std::string_view text) : text_(text) {}

  StructuredValue Parse() {
    StructuredValue out;
    SkipSpace();
    out.type = Token(kTokenEnd);
    SkipSpace();
    if (Accept('/')) {
      SkipSpace();
      out.subtype = Token(kTokenEnd);
    }
    while (out.parameters.size() < kMaxParameters && NextParameter()) {
      SkipSpace();
      std::string name(Token(" \t\r\n;=("));
      SkipSpace();
      if (!Accept('=')) continue;
      SkipSpace();
      std::string value = AtQuote() ? Quoted() : std::string(Token(" \t\r\n;("));
      if (!name.empty()) out.parameters.emplace_back(std::move(name), std::move(value));
    }
    return out;
  }

 private:
  bool AtEnd() const { return pos_ >= text_.size(); }
  bool AtQuote() const { return !AtEnd() && text_[pos_] == '"'; }

  bool Accept(char c) {
    if (AtEnd() || text_[pos_] != c) return false;
    ++pos_;
    return true;
  }

  /// Past the next semicolon, whatever stands before it.
  bool NextParameter() {
    while (!AtEnd()) {
      SkipSpace();
      if (Accept(';')) return true;
      if (AtQuote()) {
        Quoted();
      } else if (!AtEnd()) {
        ++pos_;
      }
    }
    return false;
  }

  std::string_view Token(std::string_view ends) {
    const std::size_t begin = pos_;
    pos_ = std::min(text_.find_first_of(ends, pos_), text_.size());
    return text_.substr(begin, pos_ - begin);
  }

  std::string Quoted() {
    std::string out;
    for (++pos_; !AtEnd() && text_[pos_] != '"'; ++pos_) {
      if (text_[pos_] == '\\' && pos_ + 1 < text_.size()) ++pos_;
      out += text_[pos_];
    }
    if (!AtEnd()) ++pos_;
    return out;
  }

  void SkipSpace() {
    int depth = 0;
    for (; !AtEnd(); ++pos_) {
      const char c = text_[pos_];
      if (c == '(') {
        ++depth;
      } else if (c == ')' && depth > 0) {
        --depth;
      } else if (c == '\\' && depth > 0) {
        pos_ = std::min(pos_ + 1, text_.size() - 1);
      } else if (depth == 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n') {
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t pos_ = 0;
};

/// name "*" section ["*"], RFC 2231 §4.1.
struct SectionName {
  std::string_view base;
  std::uint32_t section = 0;
  bool extended = false;
};

bool ParseSectionName(std::string_view name, SectionName& out) {
  const std::size_t star = name.find('*');
  if (star == std::string_view::npos || star == 0) return false;
  out.base = name.substr(0, star);
  std::string_view rest = name.substr(star + 1);
  out.extended = rest.ends_with('*');
  if (out.extended) rest.remove_suffix(1);
  if (rest.empty() || rest.size() > 4) return false;  // "name*": extended, but in one piece
  out.section = 0;
  for (const char c : rest) {
    if (!ascii::IsDigit(c)) return false;
    out.section = out.section * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return true;
}

/// A plain section joins percent-encoded ones: what would read as an escape must be escaped.
std::string PercentEncode(std::string_view plain) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : plain) {
    if (c == '%') {
      const auto octet = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[octet >> 4U];
      out += kHex[octet & 15U];
    } else {
      out += c;
    }
  }
  return out;
}

/// The sections 0, 1, 2... of `base`, joined where the first one stands; a section behind a gap is dropped.
std::pair<std::string, std::string> Join(std::string_view base, const Parameters& parameters) {
  std::vector<std::pair<SectionName, std::string_view>> sections;
  for (const auto& [name, value] : parameters) {
    if (SectionName section; ParseSectionName(name, section) && ascii::EqualNoCase(section.base, base)) {
      sections.emplace_back(section, value);
    }
  }
  std::sort(sections.begin(), sections.end(),
            [](const auto& a, const auto& b) { return a.first.section < b.first.section; });
  const bool extended =
      std::any_of(sections.begin(), sections.end(), [](const auto& s) { return s.first.extended; });
  std::string value;
  std::uint32_t expected = sections.front().first.section;
  for (const auto& [name, text] : sections) {
    if (name.section != expected) break;
    ++expected;
    value += extended && !name.extended ? PercentEncode(text) : std::string(text);
  }
  std::string name(base);
  if (extended) name += '*';
  return {std::move(name), std::move(value)};
}

void JoinSections(Parameters& parameters) {
  SectionName section;
  if (std::none_of(parameters.begin(), parameters.end(),
                   [&](const auto& p) { return ParseSectionName(p.first, section); })) {
    return;
  }
  Parameters out;
  for (const auto& parameter : parameters) {
    if (!ParseSectionName(parameter.first, section)) {
      out.push_back(parameter);
      continue;
    }
    auto joined = Join(section.base, parameters);
    const bool seen = std::any_of(out.begin(), out.end(),
                                  [&](const auto& p) { return ascii::EqualNoCase(p.first, joined.first); });
    if (!seen) out.push_back(std::move(joined));
  }
  parameters = std::move(out);
}

}  // namespace

const std::string* StructuredValue::Find(std::string_view name) const {
  for (const auto& parameter : parameters) {
    if (ascii::EqualNoCase(parameter.first, name)) return &parameter.second;
  }
  return nullptr;
}

StructuredValue ParseStructuredValue(std::string_view value) {
  StructuredValue out = ValueParser(value).Parse();
  JoinSections(out.parameters);
  return out;
}

}  // namespace protocol::mime
