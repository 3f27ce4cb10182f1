#include "server/http/multipart.h"

#include <algorithm>

#include "protocol/model/ascii.h"

namespace server::http {
namespace {

namespace ascii = protocol::ascii;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes `token` or `"quoted"` off the front of `text`.
std::string TakeValue(std::string_view& text) {
  std::string out;
  if (!text.starts_with('"')) {
    const auto end = std::min(text.find(';'), text.size());
    out = Trim(text.substr(0, end));
    text.remove_prefix(end);
    return out;
  }
  text.remove_prefix(1);
  while (!text.empty() && text.front() != '"') {
    if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
    out += text.front();
    text.remove_prefix(1);
  }
  text.remove_prefix(std::min(text.find(';'), text.size()));
  return out;
}

/// Of `type; name=value; ...`.
std::optional<std::string> ParameterOf(std::string_view value, std::string_view name) {
  value.remove_prefix(std::min(value.find(';'), value.size()));
  while (value.starts_with(';')) {
    value.remove_prefix(1);
    const auto equals = value.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto key = Trim(value.substr(0, equals));
    value = value.substr(equals + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    auto found = TakeValue(value);
    if (ascii::EqualNoCase(key, name)) return found;
  }
  return std::nullopt;
}

PartHead ReadHead(std::string_view header) {
  PartHead out;
  while (!header.empty()) {
    const auto end = header.find("\r\n");
    const auto line = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = Trim(line.substr(0, colon));
    const auto value = Trim(line.substr(colon + 1));
    if (ascii::EqualNoCase(name, "Content-Type")) out.content_type = value;
    if (ascii::EqualNoCase(name, "Content-Disposition")) out.name = ParameterOf(value, "name").value_or("");
  }
  return out;
}

}  // namespace

std::optional<std::string> BoundaryOf(std::string_view content_type) {
  constexpr std::size_t kMaxBoundary = 70;  // RFC 2046 §5.1.1
  if (!ascii::EqualNoCase(content_type.substr(0, 10), "multipart/")) return std::nullopt;
  auto boundary = ParameterOf(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMaxBoundary) return std::nullopt;
  return boundary;
}

void MultipartReader::Feed(std::string_view octets) {
  held_.erase(0, begin_);
  begin_ = 0;
  held_ += octets;
}

MultipartReader::Step MultipartReader::Next() {
  switch (state_) {
    case State::kPreamble: return Preamble();
    case State::kDelimiter: return Delimiter();
    case State::kHeader: return Header();
    case State::kBody: return Body();
    case State::kEnd: break;
  }
  return Step::kEnd;
}

MultipartReader::Step MultipartReader::Preamble() {
  const auto at = rest().find(delimiter_);
  if (at == std::string_view::npos) {
    if (rest().size() > kMaxPartHeader) return Fail("its first boundary is missing");
    return Step::kNeedMore;
  }
  Drop(at + delimiter_.size());
  state_ = State::kDelimiter;
  return Delimiter();
}

/// After a boundary: "--", or spaces and a line end.
MultipartReader::Step MultipartReader::Delimiter() {
  const auto end = rest().find("\r\n");
  if (rest().starts_with("--")) {
    state_ = State::kEnd;
    return Step::kEnd;
  }
  if (end == std::string_view::npos) {
    if (rest().size() > kMaxPartHeader) return Fail("a boundary is not followed by a line end");
    return Step::kNeedMore;
  }
  if (!Trim(rest().substr(0, end)).empty()) return Fail("a boundary is not followed by a line end");
  Drop(end);  // the line end stays: a part may begin with its empty line
  state_ = State::kHeader;
  return Header();
}

MultipartReader::Step MultipartReader::Header() {
  const auto end = rest().find("\r\n\r\n");
  if (std::min(end, rest().size()) > kMaxPartHeader) return Fail("the header of a part is too long");
  if (end == std::string_view::npos) return Step::kNeedMore;
  head_ = ReadHead(rest().substr(0, end));
  Drop(end + 4);
  state_ = State::kBody;
  return Step::kPart;
}

MultipartReader::Step MultipartReader::Body() {
  const auto at = rest().find(delimiter_);
  if (at == 0) {
    Drop(delimiter_.size());
    state_ = State::kDelimiter;
    return Step::kPartEnd;
  }
  // The beginning of a boundary may be at the end of what is there.
  std::size_t sure = at;
  if (at == std::string_view::npos)
    sure = rest().size() < delimiter_.size() ? 0 : rest().size() - delimiter_.size() + 1;
  if (sure == 0) return Step::kNeedMore;
  octets_ = rest().substr(0, sure);
  Drop(sure);
  return Step::kOctets;
}

}  // namespace server::http
