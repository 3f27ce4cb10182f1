#include "protocol/mime/address_list.h"

#include <optional>

#include "protocol/mime/wire.h"
#include "protocol/model/ascii.h"

namespace protocol::mime {
namespace {

constexpr std::size_t kMaxWord = 2048;

/// Octets of "tel:", "sip:" or "sips:" at the start of `text`, 0 when it is none.
std::size_t SchemeLength(std::string_view text) {
  for (const std::string_view scheme : {"tel:", "sip:", "sips:"}) {
    if (text.size() > scheme.size() && ascii::EqualNoCase(text.substr(0, scheme.size()), scheme))
      return scheme.size();
  }
  return 0;
}

class AddressParser {
 public:
  AddressParser(std::string_view text, std::size_t max, std::string& out)
      : text_(text), max_(max), out_(out) {}

  void List() {
    while (out_.size() < max_) {
      SkipSpace();
      if (AtEnd()) break;
      if (Peek() == ',') {
        ++pos_;
      } else if (Peek() == ';') {
        ++pos_;
        EndGroup();
      } else {
        One();
      }
    }
    EndGroup();
  }

 private:
  bool AtEnd() const { return pos_ >= text_.size(); }
  char Peek() const { return text_[pos_]; }

  void EndGroup() {
    if (in_group_) out_ += "(NIL NIL NIL NIL)";
    in_group_ = false;
  }

  // address = mailbox / group, whichever its first special character says.
  void One() {
    comment_.reset();
    if (AtUri()) return BareUri();
    std::string phrase = Phrase();
    if (AtEnd()) return Address({}, {}, phrase, "");
    switch (Peek()) {
      case '<': ++pos_; return Angle(phrase);
      case ':':
        ++pos_;
        EndGroup();
        in_group_ = true;
        out_ += "(NIL NIL ";
        AppendString(phrase, kMaxWord, out_);
        out_ += " NIL)";
        return;
      case '@': {
        ++pos_;
        const std::string host = Domain(/*in_angle=*/false);
        return Address({}, {}, phrase, host);
      }
      case ',':
      case ';': return Address({}, {}, phrase, "");
      default:
        ++pos_;  // a stray special character: it belongs nowhere
        if (!phrase.empty()) Address({}, {}, phrase, "");
    }
  }

  bool AtUri() const { return SchemeLength(text_.substr(pos_)) != 0 && text_[pos_ + SchemeEnd()] != ' '; }
  std::size_t SchemeEnd() const { return SchemeLength(text_.substr(pos_)); }

  void BareUri() {
    std::size_t end = text_.find_first_of(", \t<>\"", pos_);
    if (end == std::string_view::npos) end = text_.size();
    if (in_group_ && text_[end - 1] == ';') --end;
    const std::string_view uri = text_.substr(pos_, end - pos_);
    pos_ = end;
    SkipSpace();
    Uri({}, uri);
  }

  // mailbox@host must spell the URI, so that what a client shows is what was written.
  void Uri(std::string_view name, std::string_view uri) {
    const bool tel = ascii::EqualNoCase(uri.substr(0, 4), "tel:");
    const std::size_t at = tel ? std::string_view::npos : uri.rfind('@');
    if (at == std::string_view::npos) return Address(name, {}, uri, "");
    Address(name, {}, uri.substr(0, at), uri.substr(at + 1));
  }

  // [obs-route] addr-spec ">"
  void Angle(const std::string& name) {
    SkipSpace();
    if (SchemeLength(text_.substr(pos_)) != 0) {
      const std::size_t end = std::min(text_.find('>', pos_), text_.size());
      std::string_view uri = text_.substr(pos_, end - pos_);
      while (!uri.empty() && uri.back() == ' ') uri.remove_suffix(1);
      pos_ = std::min(end + 1, text_.size());
      SkipToComma();
      return Uri(name, uri);
    }
    std::string route;
    if (!AtEnd() && Peek() == '@') {
      while (!AtEnd() && Peek() != ':' && Peek() != '>') {
        if (Peek() != ' ' && Peek() != '\t') route += Peek();
        ++pos_;
      }
      if (!AtEnd() && Peek() == ':') ++pos_;
    }
    std::string mailbox = LocalPart();
    std::string host;
    if (!AtEnd() && Peek() == '@') {
      ++pos_;
      host = Domain(/*in_angle=*/true);
    }
    while (!AtEnd() && Peek() != '>') ++pos_;
    if (!AtEnd()) ++pos_;
    comment_.reset();  // a comment names only an address without a display name
    SkipToComma();
    Address(name, route, mailbox, host);
  }

  /// What follows the address belongs to nobody but may hold a comment that names it.
  void SkipToComma() {
    SkipSpace();
    while (!AtEnd() && Peek() != ',' && Peek() != ';') {
      if (Peek() == '"') {
        Quoted();
      } else {
        ++pos_;
      }
      SkipSpace();
    }
  }

  void Address(std::string_view name, std::string_view route, std::string_view mailbox,
               std::string_view host) {
    if (name.empty() && comment_) name = *comment_;
    out_ += '(';
    OrNil(name);
    out_ += ' ';
    OrNil(route);
    out_ += ' ';
    AppendString(mailbox, kMaxWord, out_);
    out_ += ' ';
    AppendString(host, kMaxWord, out_);
    out_ += ')';
  }

  void OrNil(std::string_view text) {
    if (text.empty()) {
      out_ += "NIL";
    } else {
      AppendString(text, kMaxWord, out_);
    }
  }

  // Words and dots up to a special character; runs of white space and comments between them are one space.
  std::string Phrase() {
    std::string out;
    bool space = false;
    while (!AtEnd()) {
      const char c = Peek();
      if (c == ' ' || c == '\t' || c == '(') {
        SkipSpace();
        space = true;
        continue;
      }
      if (c == '<' || c == '>' || c == ':' || c == ',' || c == ';' || c == '@') break;
      if (space && !out.empty()) out += ' ';
      space = false;
      if (c == '"') {
        out += Quoted();
      } else {
        out += Atom();
      }
    }
    return out;
  }

  std::string LocalPart() {
    std::string out;
    while (!AtEnd() && Peek() != '@' && Peek() != '>') {
      const char c = Peek();
      if (c == '"') {
        out += Quoted();
      } else if (c == '(') {
        SkipSpace();
      } else {
        if (c != ' ' && c != '\t') out += c;
        ++pos_;
      }
    }
    return out;
  }

  std::string Domain(bool in_angle) {
    std::string out;
    SkipSpace();
    while (!AtEnd()) {
      const char c = Peek();
      if (c == '[') {
        const std::size_t end = std::min(text_.find(']', pos_), text_.size() - 1);
        out += text_.substr(pos_, end + 1 - pos_);
        pos_ = end + 1;
      } else if (c == '(' || c == ' ' || c == '\t') {
        SkipSpace();
        // "a@b c@d": white space ends a domain unless a dot joins the pieces (obs-domain).
        if (!in_angle && !AtEnd() && Peek() != '.' && (out.empty() || out.back() != '.')) break;
      } else if (c == '>' || c == ',' || c == ';' || c == '<' || c == '"') {
        break;
      } else {
        out += c;
        ++pos_;
      }
    }
    return out;
  }

  /// At least one octet. An encoded word is taken whole: careless writers leave commas and parentheses in it.
  std::string_view Atom() {
    const std::size_t begin = pos_;
    if (text_.substr(pos_).starts_with("=?")) {
      if (const auto length = EncodedWordLength()) {
        pos_ += *length;
        return text_.substr(begin, *length);
      }
    }
    ++pos_;
    while (!AtEnd() && std::string_view(" \t(<>:,;@\"").find(Peek()) == std::string_view::npos) ++pos_;
    return text_.substr(begin, pos_ - begin);
  }

  // encoded-word = "=?" charset "?" encoding "?" encoded-text "?="  at most 75 octets by RFC 2047 §2; we
  // allow more.
  std::optional<std::size_t> EncodedWordLength() const {
    const std::string_view rest = text_.substr(pos_, 1000);
    std::size_t mark = 1;
    for (int marks = 0; marks < 2; ++marks) {
      mark = rest.find('?', mark + 1);
      if (mark == std::string_view::npos) return std::nullopt;
    }
    const std::size_t end = rest.find("?=", mark + 1);
    if (end == std::string_view::npos ||
        rest.substr(0, end).find_first_of(" \t<>") != std::string_view::npos) {
      return std::nullopt;
    }
    return end + 2;
  }

  std::string Quoted() {
    std::string out;
    for (++pos_; !AtEnd() && Peek() != '"'; ++pos_) {
      if (Peek() == '\\' && pos_ + 1 < text_.size()) ++pos_;
      out += Peek();
    }
    if (!AtEnd()) ++pos_;
    return out;
  }

  /// White space and comments; the last comment is kept for an address that has no other name.
  void SkipSpace() {
    while (!AtEnd()) {
      if (Peek() == ' ' || Peek() == '\t') {
        ++pos_;
      } else if (Peek() == '(') {
        Comment();
      } else {
        return;
      }
    }
  }

  void Comment() {
    std::string text;
    int depth = 0;
    for (; !AtEnd(); ++pos_) {
      const char c = Peek();
      if (c == '\\' && pos_ + 1 < text_.size()) {
        ++pos_;
        text += Peek();
        continue;
      }
      if (c == ')' && --depth == 0) break;
      if (depth > 0) text += c;
      if (c == '(') ++depth;
    }
    if (!AtEnd()) ++pos_;
    comment_ = std::move(text);
  }

  std::string_view text_;
  std::size_t pos_ = 0;
  std::size_t max_;
  std::string& out_;
  bool in_group_ = false;
  std::optional<std::string> comment_;
};

}  // namespace

void AppendAddresses(std::string_view value, std::size_t max, std::string& out) {
  AddressParser(value, max, out).List();
}

}  // namespace protocol::mime
