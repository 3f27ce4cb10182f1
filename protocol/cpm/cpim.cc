#include "protocol/cpm/cpim.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "protocol/cpm/limits.h"
#include "protocol/mime/header_block.h"
#include "protocol/model/ascii.h"

namespace protocol::cpm {
namespace {

constexpr std::string_view kCoreNamespace = "urn:ietf:params:cpim-headers:";

/// Takes a line off `text`, its end too; nullopt when there is no line end.
std::optional<std::string_view> TakeLine(std::string_view& text) {
  const std::size_t lf = text.find('\n');
  if (lf == std::string_view::npos) return std::nullopt;
  std::string_view line = text.substr(0, lf);
  text.remove_prefix(lf + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void AppendUtf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | code >> 6U);
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xE0U | code >> 12U);
    out += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

// Escape = "\" ( "u" 4(HEXDIG) / "b" / "t" / "n" / "r" / DQUOTE / "'" / "\" )   ; RFC 3862 §2.3.2
std::string Unescape(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      out += value[i];
      continue;
    }
    const char c = value[++i];
    switch (c) {
      case 'b': out += '\b'; break;
      case 't': out += '\t'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 'u': {
        unsigned code = 0;
        const std::string_view digits = value.substr(i + 1, 4);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        if (digits.size() < 4 || end != digits.data() + 4 || error != std::errc{} || surrogate) {
          out += "\\u";  // no escape: as it stands
        } else {
          AppendUtf8(out, code);
          i += 4;
        }
        break;
      }
      default: out += c;
    }
  }
  return out;
}

std::string Escape(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool at_an_end = i == 0 || i + 1 == value.size();
    switch (c) {
      case ' ': out += at_an_end ? "\\u0020" : " "; break;  // else it would be taken for white space around
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\t': out += "\\t"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out;
}

/// Prefixes that NS headers have bound so far.
class Namespaces {
 public:
  // NS: [ prefix ] "<" URI ">"   ; RFC 3862 §3.8
  void Bind(std::string_view value) {
    const std::size_t open = value.find('<');
    const std::size_t close = value.find('>', open);
    if (open == std::string_view::npos || close == std::string_view::npos) return;
    std::string_view uri = value.substr(open + 1, close - open - 1);
    if (uri == kCoreNamespace) uri = {};
    bound_.emplace_back(mime::Trim(value.substr(0, open)), uri);
  }

  /// The latest binding; clients use imdn. without one.
  std::string_view Find(std::string_view prefix) const {
    for (auto i = bound_.rbegin(); i != bound_.rend(); ++i) {
      if (i->first == prefix) return i->second;
    }
    if (ascii::EqualNoCase(prefix, "imdn")) return kImdnNamespace;
    return prefix;  // an unknown one is at least not taken for a header of RFC 3862
  }

 private:
  std::vector<std::pair<std::string_view, std::string_view>> bound_;
};

// Header = [ prefix "." ] name ":" *( ";" parameter ) SP value CRLF   ; RFC 3862 §2.3
tl::expected<void, Fault> ReadField(std::string_view line, Namespaces& namespaces, Cpim& out) {
  const std::size_t colon = line.find(':');
  const std::string_view full = mime::Trim(line.substr(0, std::min(colon, line.size())));
  const auto in_name = [](char c) { return c > ' ' && c < '\x7f'; };
  if (colon == std::string_view::npos || full.empty() || !std::ranges::all_of(full, in_name)) {
    return Fail("a line of the CPIM header is no header");
  }
  std::string_view value = line.substr(colon + 1);
  if (value.starts_with(';')) {  // parameters such as lang=fr end at the space
    const std::size_t space = value.find(' ');
    value = space == std::string_view::npos ? std::string_view{} : value.substr(space);
  }
  value = mime::Trim(value);
  const std::size_t dot = full.find('.');
  const bool prefixed = dot != std::string_view::npos;
  const std::string_view name_space = namespaces.Find(prefixed ? full.substr(0, dot) : std::string_view{});
  const std::string_view name = prefixed ? full.substr(dot + 1) : full;
  if (name.empty()) return Fail("a line of the CPIM header is no header");
  if (ascii::EqualNoCase(name, "NS") && (!prefixed || name_space.empty())) {
    namespaces.Bind(value);
  } else {
    out.fields.push_back({std::string(name_space), std::string(name), Unescape(value)});
  }
  return {};
}

std::optional<std::uint64_t> ParseLength(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

const std::string* Cpim::Find(std::string_view name, std::string_view namespace_uri) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const CpimField& field) {
    return field.namespace_uri == namespace_uri && ascii::EqualNoCase(field.name, name);
  });
  return found == fields.end() ? nullptr : &found->value;
}

tl::expected<Cpim, Fault> ReadCpim(std::string_view head, std::uint64_t size) {
  const std::string_view all = head;
  std::string_view rest = head.substr(0, kMaxCpimHeader);
  const auto unfinished = [&] {
    return all.size() > kMaxCpimHeader
               ? Fail(fmt::format("the CPIM headers exceed {} octets", kMaxCpimHeader))
               : Fail("the CPIM headers do not end");
  };

  Cpim out;
  Namespaces namespaces;
  std::size_t lines = 0;
  for (;;) {
    const auto line = TakeLine(rest);
    if (!line) return unfinished();
    if (line->empty()) break;
    if (++lines > kMaxCpimFields) return Fail(fmt::format("more than {} CPIM headers", kMaxCpimFields));
    if (auto read = ReadField(*line, namespaces, out); !read) return tl::unexpected<Fault>(read.error());
  }
  if (lines == 0) return Fail("the CPIM message has no headers");

  mime::HeaderReader reader(rest);
  out.content_type.clear();
  while (const auto field = reader.Next()) {
    if (++lines > kMaxCpimFields) return Fail(fmt::format("more than {} CPIM headers", kMaxCpimFields));
    if (field->name.empty()) return Fail("a line of the MIME header in the CPIM message is no header");
    std::string value = mime::Unfold(field->value);
    if (ascii::EqualNoCase(field->name, "Content-Type") && out.content_type.empty()) {
      out.content_type = std::move(value);
    } else if (ascii::EqualNoCase(field->name, "Content-Disposition") && out.content_disposition.empty()) {
      out.content_disposition = std::move(value);
    } else if (ascii::EqualNoCase(field->name, "Content-Transfer-Encoding") && out.content_encoding.empty()) {
      out.content_encoding = std::move(value);
    } else if (ascii::EqualNoCase(field->name, "Content-Length") && !out.content_length) {
      out.content_length = ParseLength(value);
      if (!out.content_length) return Fail("the Content-Length in the CPIM message is no number");
    }
  }
  if (out.content_type.empty()) out.content_type = "text/plain";
  std::string_view content = reader.rest();
  if (!TakeLine(content)) return unfinished();

  out.content_begin = static_cast<std::uint64_t>(content.data() - all.data());
  const std::uint64_t there = size - out.content_begin;
  out.content_size = out.content_length.value_or(there);
  if (out.content_size > there) {
    return Fail(fmt::format("the Content-Length in the CPIM message is {}, but {} octets follow",
                            out.content_size, there));
  }
  // Line ends of whatever carried the message may follow, no more than that.
  constexpr std::uint64_t kMaxTail = 4;
  const std::uint64_t tail = there - out.content_size;
  const std::string_view shown =
      all.substr(std::min<std::uint64_t>(out.content_begin + out.content_size, all.size()));
  if (tail > kMaxTail || !mime::Trim(shown).empty()) {
    return Fail(fmt::format("the Content-Length in the CPIM message is {}, but {} octets follow",
                            out.content_size, there));
  }
  return out;
}

std::string WriteCpim(const std::vector<CpimLine>& lines, const CpimContent& content) {
  std::string out;
  for (const CpimLine& line : lines)
    out.append(line.name).append(": ").append(Escape(line.value)).append("\r\n");
  out.append("\r\nContent-Type: ").append(content.type).append("\r\n");
  if (!content.disposition.empty())
    out.append("Content-Disposition: ").append(content.disposition).append("\r\n");
  if (!content.encoding.empty()) {
    out.append("Content-Transfer-Encoding: ").append(content.encoding).append("\r\n");
  }
  out.append(fmt::format("Content-Length: {}\r\n\r\n", content.octets.size())).append(content.octets);
  return out;
}

}  // namespace protocol::cpm
