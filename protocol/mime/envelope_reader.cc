#include "protocol/mime/envelope_reader.h"

#include <charconv>

#include "protocol/model/ascii.h"

namespace protocol::mime {
namespace {

/// Where a literal's octets begin, and how many there are; the announcement begins at `at`.
struct Literal {
  std::size_t begin = 0;
  std::size_t size = 0;
};
std::optional<Literal> LiteralAt(std::string_view text, std::size_t at) {
  Literal literal;
  const char* const end = text.data() + text.size();
  const auto [digits_end, error] = std::from_chars(text.data() + at + 1, end, literal.size);
  const auto after = static_cast<std::size_t>(digits_end - text.data());
  if (error != std::errc{} || text.substr(after, 3) != "}\r\n") return std::nullopt;
  literal.begin = after + 3;
  if (literal.size > text.size() - literal.begin) return std::nullopt;
  return literal;
}

/// The end of the string or atom that begins at `at`.
std::size_t TokenEnd(std::string_view text, std::size_t at) {
  if (text[at] == '"') {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\') ++at;
    }
    return at < text.size() ? at + 1 : text.size();
  }
  if (text[at] == '{') {
    const auto literal = LiteralAt(text, at);
    return literal ? literal->begin + literal->size : text.size();
  }
  while (at < text.size() && text[at] != ' ' && text[at] != '(' && text[at] != ')') ++at;
  return at;
}

/// The end of the value that begins at `at`, a whole list if it is one.
std::size_t ValueEnd(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    if (text[at] == '(') {
      ++depth;
      ++at;
    } else if (text[at] == ')') {
      if (depth == 0) return at;
      --depth;
      ++at;
    } else if (text[at] == ' ') {
      ++at;
    } else {
      at = TokenEnd(text, at);
    }
    if (depth == 0) return at;
  }
  return at;
}

/// Walks values with spaces between them.
class Values {
 public:
  explicit Values(std::string_view text) : text_(text) {}
  std::string_view Next() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    const std::size_t begin = at_;
    at_ = ValueEnd(text_, at_);
    return text_.substr(begin, at_ - begin);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::string_view WithoutParentheses(std::string_view list) {
  if (list.starts_with('(')) list.remove_prefix(1);
  if (list.ends_with(')')) list.remove_suffix(1);
  return list;
}

std::optional<std::string> Decoded(std::string_view value) {
  if (value.starts_with('{')) {
    const auto literal = LiteralAt(value, 0);
    if (!literal) return std::nullopt;
    return std::string(value.substr(literal->begin, literal->size));
  }
  if (!value.starts_with('"')) return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i < value.size() && value[i] != '"'; ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    out += value[i];
  }
  return out;
}

}  // namespace

EnvelopeReader::EnvelopeReader(std::string_view envelope) {
  Values values(WithoutParentheses(envelope));
  for (auto& field : fields_) field = values.Next();
}

std::optional<std::string> EnvelopeReader::Text(Field field) const {
  return Decoded(fields_[static_cast<std::size_t>(field)]);
}

std::optional<EnvelopeReader::Address> EnvelopeReader::First(Field field) const {
  const std::string_view list = fields_[static_cast<std::size_t>(field)];
  if (!list.starts_with('(')) return std::nullopt;
  Values values(WithoutParentheses(Values(WithoutParentheses(list)).Next()));
  Address address;
  address.name = Decoded(values.Next());
  values.Next();
  address.mailbox = Decoded(values.Next());
  address.host = Decoded(values.Next());
  return address;
}

}  // namespace protocol::mime
