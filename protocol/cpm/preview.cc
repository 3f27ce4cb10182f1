#include "protocol/cpm/preview.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/cpm/body.h"
#include "protocol/cpm/cpim.h"
#include "protocol/cpm/file_transfer.h"
#include "protocol/cpm/html_text.h"
#include "protocol/cpm/http_file.h"
#include "protocol/cpm/limits.h"
#include "protocol/cpm/part_head.h"
#include "protocol/mime/inspect.h"
#include "protocol/mime/section.h"
#include "protocol/text/charset.h"

namespace protocol::cpm {
namespace {

/// Remembers that the octets could not be had: what reads them leaves out what it cannot read.
class WatchedSource final : public mime::Source {
 public:
  explicit WatchedSource(mime::Source& source) : source_(source) {}
  std::uint64_t size() const override { return source_.size(); }
  std::int64_t Read(std::uint64_t offset, std::span<char> out) override {
    const std::int64_t got = source_.Read(offset, out);
    failed_ = failed_ || got < 0;
    return got;
  }
  bool failed() const { return failed_; }

 private:
  mime::Source& source_;
  bool failed_ = false;
};

/// One line of at most kPreviewCharacters, made of text.
class Line {
 public:
  void Add(std::string_view utf8) {
    while (!utf8.empty() && characters_ < kPreviewCharacters) {
      std::size_t length = 1;
      while (length < utf8.size() && (static_cast<unsigned char>(utf8[length]) & 0xC0U) == 0x80U) ++length;
      AddCharacter(utf8.substr(0, length));
      utf8.remove_prefix(length);
    }
  }
  void Space() { space_ = true; }
  bool empty() const { return text_.empty(); }
  std::string Take() && { return std::move(text_); }

 private:
  void AddCharacter(std::string_view character) {
    if (IsSpace(character)) return Space();
    if (IsPadding(character)) return;
    if (space_ && !text_.empty()) {
      // A space at the very end would stand for nothing.
      if (characters_ + 2 > kPreviewCharacters) {
        characters_ = kPreviewCharacters;
        return;
      }
      text_ += ' ';
      ++characters_;
    }
    space_ = false;
    text_ += character;
    ++characters_;
  }

  /// White space and controls; NO-BREAK SPACE and the separators of lines and paragraphs too.
  static bool IsSpace(std::string_view character) {
    const auto first = static_cast<unsigned char>(character[0]);
    if (character.size() == 1) return first <= 0x20 || first == 0x7f;
    if (character.size() == 2) return first == 0xC2 && static_cast<unsigned char>(character[1]) <= 0xA0;
    return character == "\u2028" || character == "\u2029" || character == "\u3000";
  }

  /// Characters without a shape, with which newsletters fill what clients would show of them.
  static bool IsPadding(std::string_view character) {
    return character == "\u00AD" || character == "\u034F" || character == "\u200B" || character == "\uFEFF";
  }

  std::string text_;
  std::size_t characters_ = 0;
  bool space_ = false;
};

std::string LineOf(std::string_view utf8) {
  Line line;
  line.Add(utf8);
  return std::move(line).Take();
}

/// Of an answer the new part: lines that quote are left out, unless there are no others.
std::string LineOfPlainText(std::string_view utf8) {
  Line line;
  for (std::string_view rest = utf8; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    if (!rest.starts_with('>')) line.Add(rest.substr(0, end));
    line.Space();
    rest.remove_prefix(end);
  }
  return line.empty() ? LineOf(utf8) : std::move(line).Take();
}

std::string LineOfNames(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  return LineOf(all);
}

/// Nobody here can read it, and its parts' names would say nothing (RFC 8970 §3.2).
bool IsEncrypted(std::string_view media_type) {
  return media_type == "application/pkcs7-mime" || media_type == "application/x-pkcs7-mime" ||
         media_type == "application/pgp-encrypted";
}

/// Takes what it reads from `left`.
std::string TextOf(const mime::Part& part, const PartHead& head, mime::Source& source, std::size_t& left) {
  const std::size_t most = std::min(left, kPreviewText);
  const auto octets = ReadBody(part, source, most);
  if (!octets) return {};
  left -= octets->size();
  const auto* charset = head.type.Find("charset");
  text::Utf8Converter converter(charset ? std::string_view(*charset) : std::string_view());
  std::string utf8;
  converter.Append(*octets, /*last=*/octets->size() < most, utf8);
  return part.media == mime::Media::kHtml ? LineOf(HtmlText(utf8)) : LineOfPlainText(utf8);
}

/// The first text that is there to be read, else the names of the files.
std::string OfContent(const mime::Parts& parts, mime::Source& source) {
  std::vector<std::string> files;
  std::size_t looked_at = 0;
  std::size_t left = kPreviewTexts;
  for (std::size_t i = 0; i < parts.size() && looked_at < kPreviewParts; ++i) {
    if (parts[i].kind != mime::PartKind::kLeaf) continue;
    ++looked_at;
    const PartHead head = ReadPartHead(parts, source, i);
    if (IsEncrypted(head.media_type)) return {};
    if (head.media_type == "application/smil") continue;  // how an MMS is laid out
    const bool readable = head.media_type == "text/plain" || head.media_type == "text/html";
    if (!readable || head.disposition == "attachment" || !head.name.empty()) {
      files.push_back(head.name.empty() ? head.media_type : head.name);
      continue;
    }
    std::string text = TextOf(parts[i], head, source, left);
    if (!text.empty()) return text;
  }
  return LineOfNames(files);
}

std::string OfHttpFile(const mime::Parts& parts, mime::Source& source) {
  const auto xml = ReadXmlBody(parts[0], source);
  if (!xml) return {};
  const auto file = ReadHttpFile(*xml);
  if (!file) return {};
  std::vector<std::string> names;
  for (const auto& info : file->infos) {
    if (info.type == "file") names.push_back(info.name.empty() ? info.content_type : info.name);
  }
  return LineOfNames(names);
}

std::string OfFileTransfer(const mime::Parts& parts, mime::Source& source) {
  const auto transfer = ReadFileTransfer(parts, source);
  if (!transfer) return {};
  std::vector<std::string> names;
  for (const auto& file : transfer->files) {
    if (names.size() == kPreviewParts) break;
    std::string name = ReadUtf8(file.sdp.name);
    if (name.empty() && file.part) name = ReadPartHead(parts, source, *file.part).name;
    names.push_back(name.empty() ? ReadUtf8(file.sdp.type) : std::move(name));
  }
  return LineOfNames(names);
}

std::string OfMessage(ObjectKind kind, const mime::Parts& parts, mime::Source& source) {
  return kind == ObjectKind::kFileTransferOverHttp ? OfHttpFile(parts, source) : OfContent(parts, source);
}

/// Octets of the body, transfer encoding undone; nullopt: that cannot be said at little cost.
std::optional<std::uint64_t> DecodedSize(const mime::Part& part, mime::Source& source) {
  const std::uint64_t encoded = part.body_end - part.body_begin;
  if (part.encoding <= mime::Encoding::kBinary) return encoded;
  if (encoded > kMaxViewCpim) return std::nullopt;
  const auto size = mime::DecodedSize(source, part);
  return size ? std::optional(*size) : std::nullopt;
}

std::string OfCpim(ObjectKind kind, const mime::Part& part, mime::Source& source) {
  const auto size = DecodedSize(part, source);
  const auto body = ReadBody(part, source, kMaxCpimHeader + kMaxXml);
  if (!size || !body) return {};
  const auto cpim = ReadCpim(*body, *size);
  if (!cpim) return LineOf(ReadUtf8(*body));  // as it stands is better than nothing
  std::string octets = "Content-Type: " + cpim->content_type + "\r\n";
  if (!cpim->content_encoding.empty())
    octets += "Content-Transfer-Encoding: " + cpim->content_encoding + "\r\n";
  if (!cpim->content_disposition.empty())
    octets += "Content-Disposition: " + cpim->content_disposition + "\r\n";
  octets += "\r\n";
  octets += std::string_view(*body).substr(cpim->content_begin, cpim->content_size);
  mime::MemorySource content(octets);
  const auto found = mime::Inspect(content);
  return found ? OfMessage(kind, found->parts, content) : std::string();
}

}  // namespace

std::optional<std::string> Preview(ObjectKind kind, const mime::Parts& parts, mime::Source& source) {
  // They report; what they say is not for reading.
  if (kind == ObjectKind::kImdn || kind == ObjectKind::kSessionInfo || kind == ObjectKind::kGroupState)
    return std::string();
  if (parts.empty()) return std::string();
  WatchedSource watched(source);
  std::string line;
  if (kind == ObjectKind::kFileTransfer) {
    line = OfFileTransfer(parts, watched);
  } else if (parts[0].media == mime::Media::kCpim) {
    line = OfCpim(kind, parts[0], watched);
  } else {
    line = OfMessage(kind, parts, watched);
  }
  if (watched.failed()) return std::nullopt;
  return line;
}

}  // namespace protocol::cpm
