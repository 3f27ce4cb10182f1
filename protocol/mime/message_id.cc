#include "protocol/mime/message_id.h"

#include <optional>

namespace protocol::mime {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Walks the ids of one value.
class Reader {
 public:
  Reader(std::string_view value, std::size_t max) : value_(value), max_(max) {}

  std::optional<std::string> Next() {
    while (true) {
      at_ = value_.find('<', at_);
      if (at_ == std::string_view::npos) return std::nullopt;
      ++at_;
      if (auto id = Id()) return id;
    }
  }

 private:
  // msg-id = "<" id-left "@" id-right ">", from behind the "<". nullopt: it was none.
  std::optional<std::string> Id() {
    std::string id;
    std::size_t at_sign = std::string::npos;
    for (; at_ < value_.size(); ++at_) {
      const char c = value_[at_];
      if (c == '<') return std::nullopt;  // the id begins there
      if (c == '>') {
        ++at_;
        const bool valid = at_sign != std::string::npos && at_sign > 0 && at_sign + 1 < id.size();
        return valid && id.size() <= max_ ? std::optional(std::move(id)) : std::nullopt;
      }
      if (IsSpace(c)) continue;
      if (c == '"' && at_sign == std::string::npos) {
        Quoted(id);
        continue;
      }
      if (c == '@') at_sign = id.size();
      id += c;
    }
    return std::nullopt;
  }

  /// At a quote: takes the string but for its closing quote. A quote that nothing closes is passed over.
  void Quoted(std::string& id) {
    if (unclosed_) return;
    const std::size_t quote = at_;
    const std::size_t before = id.size();
    for (++at_; at_ < value_.size() && value_[at_] != '"'; ++at_) {
      if (value_[at_] == '\\' && at_ + 1 < value_.size()) ++at_;
      id += value_[at_];
    }
    if (at_ < value_.size()) return;
    unclosed_ = true;  // so nothing is read more than twice
    id.resize(before);
    at_ = quote;
  }

  std::string_view value_;
  std::size_t max_;
  std::size_t at_ = 0;
  bool unclosed_ = false;
};

}  // namespace

std::vector<std::string> NormalMessageIds(std::string_view value, std::size_t max_ids,
                                          std::size_t max_octets) {
  std::vector<std::string> ids;
  Reader reader(value, max_octets);
  while (auto id = reader.Next()) ids.push_back(*std::move(id));
  if (ids.size() > max_ids) ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(max_ids));
  return ids;
}

std::string FirstMessageId(std::string_view value, std::size_t max_octets) {
  return Reader(value, max_octets).Next().value_or(std::string());
}

}  // namespace protocol::mime
