#include "protocol/cpm/object_view.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocol/cpm/body.h"
#include "protocol/cpm/cpim.h"
#include "protocol/cpm/file_transfer.h"
#include "protocol/cpm/http_file.h"
#include "protocol/cpm/limits.h"
#include "protocol/cpm/part_head.h"
#include "protocol/mime/header_block.h"
#include "protocol/mime/inspect.h"
#include "protocol/mime/section.h"
#include "protocol/mime/words.h"
#include "protocol/model/ascii.h"
#include "protocol/text/charset.h"

namespace protocol::cpm {
namespace {

/// A MIME entity with its octets: the object itself, or what its CPIM holds.
struct Entity {
  const mime::Parts& parts;
  mime::Source& source;
  bool within_cpim = false;
};

/// What a message/cpim holds, as an entity of its own.
struct CpimContent {
  Cpim cpim;
  std::string octets;
  mime::Parts parts;
};

tl::expected<CpimContent, Fault> OpenCpim(const mime::Part& part, mime::Source& source) {
  const auto body = ReadBody(part, source, kMaxViewCpim + 1);
  if (!body) return tl::unexpected<Fault>(body.error());
  if (body->size() > kMaxViewCpim) return Fail(fmt::format("the CPIM exceeds {} octets", kMaxViewCpim));
  auto cpim = ReadCpim(*body);
  if (!cpim) return tl::unexpected<Fault>(cpim.error());
  CpimContent out;
  out.octets = "Content-Type: " + cpim->content_type + "\r\n";
  if (!cpim->content_encoding.empty())
    out.octets += "Content-Transfer-Encoding: " + cpim->content_encoding + "\r\n";
  if (!cpim->content_disposition.empty())
    out.octets += "Content-Disposition: " + cpim->content_disposition + "\r\n";
  out.octets += "\r\n" + body->substr(cpim->content_begin, cpim->content_size);
  out.cpim = *std::move(cpim);
  mime::MemorySource inner(out.octets);
  auto found = mime::Inspect(inner);
  if (!found) return Fail("its octets could not be read");  // a source in memory does not fail
  out.parts = std::move(found->parts);
  return out;
}

/// RFC 3501 §6.4.5: the numbers that lead to a part, which is within multiparts only.
std::string SectionOf(const mime::Parts& parts, std::size_t index) {
  if (index == 0) return "1";
  std::string out;
  std::size_t at = 0;
  while (at != index) {
    const std::size_t end = at + parts[at].subtree;
    std::size_t number = 1;
    std::size_t child = at + 1;
    while (child < end && index >= child + parts[child].subtree) {
      child += parts[child].subtree;
      ++number;
    }
    out += (out.empty() ? "" : ".") + std::to_string(number);
    at = child;
  }
  return out;
}

/// Exact where that costs little, else by the encoding's arithmetic.
std::optional<std::uint64_t> SizeOf(const Entity& entity, const mime::Part& part) {
  constexpr std::uint64_t kLittle = 1 << 20;
  const std::uint64_t encoded = part.body_end - part.body_begin;
  if (part.encoding == mime::Encoding::kBase64 && encoded > kLittle)
    return (encoded - std::min(encoded, 2 * part.body_lines)) / 4 * 3;
  const auto size = mime::DecodedSize(entity.source, part);
  return size ? std::optional(*size) : std::nullopt;
}

ViewFile FileOf(const Entity& entity, std::size_t index, const PartHead& head) {
  ViewFile out;
  out.name = head.name;
  out.type = head.media_type;
  out.size = SizeOf(entity, entity.parts[index]);
  out.description = head.description;
  out.section = entity.within_cpim ? std::string() : SectionOf(entity.parts, index);
  out.part = index;
  out.within_cpim = entity.within_cpim;
  return out;
}

void AddText(ViewText& to, std::string_view utf8) {
  if (!to.utf8.empty()) to.utf8 += "\n\n";
  to.utf8 += utf8;
  std::erase(to.utf8, '\r');
  to.cut = to.cut || to.utf8.size() > kMaxViewText;
  CutUtf8(to.utf8, kMaxViewText);
  while (to.utf8.ends_with('\n')) to.utf8.pop_back();
}

void ReadText(const Entity& entity, std::size_t index, const PartHead& head, ViewText& to) {
  const auto octets = ReadBody(entity.parts[index], entity.source, kMaxViewText + 1);
  if (!octets) return;
  const auto* charset = head.type.Find("charset");
  text::Utf8Converter converter(charset ? std::string_view(*charset) : std::string_view());
  std::string utf8;
  converter.Append(*octets, true, utf8);
  AddText(to, utf8);
}

/// The child of a multipart/alternative that a terminal can show; nullopt: none.
std::optional<std::size_t> PlainChild(const Entity& entity, std::size_t index) {
  const std::size_t end = index + entity.parts[index].subtree;
  for (std::size_t child = index + 1; child < end; child += entity.parts[child].subtree)
    if (entity.parts[child].kind == mime::PartKind::kLeaf &&
        ReadPartHead(entity.parts, entity.source, child).media_type == "text/plain")
      return child;
  return std::nullopt;
}

/// Text and files of parts[index] and what is below it, in order. mime::Inspect() bounds the depth.
void ReadContent(const Entity& entity, std::size_t index, ObjectView& out) {
  const auto& part = entity.parts[index];
  const auto head = ReadPartHead(entity.parts, entity.source, index);
  if (part.kind == mime::PartKind::kMultipart) {
    const auto plain = head.media_type == "multipart/alternative" ? PlainChild(entity, index) : std::nullopt;
    if (plain) return ReadContent(entity, *plain, out);
    for (std::size_t child = index + 1; child < index + part.subtree; child += entity.parts[child].subtree)
      ReadContent(entity, child, out);
    return;
  }
  if (head.media_type == "application/smil") return;  // how an MMS is laid out
  const bool shown = head.media_type == "text/plain" && head.disposition != "attachment" && head.name.empty();
  if (shown) {
    ReadText(entity, index, head, out.text);
  } else if (out.files.size() < kMaxViewFiles) {
    out.files.push_back(FileOf(entity, index, head));
  }
}

void ReadHttpFiles(std::string_view xml, ObjectView& out) {
  const auto file = ReadHttpFile(xml);
  if (!file) return;
  for (const auto& info : file->infos) {
    if (out.files.size() == kMaxViewFiles) return;
    ViewFile one;
    one.name = info.name;
    CutUtf8(one.name, kMaxFileName);
    one.type = ascii::Lower(info.content_type);
    one.size = info.size;
    one.url = info.url;
    one.until = info.until;
    one.thumbnail = info.type == "thumbnail";
    out.files.push_back(std::move(one));
  }
}

/// Of an object whose XML stands in a CPIM or alone.
void ReadXml(const Entity& entity, ObjectView& out) {
  const auto xml = ReadXmlBody(entity.parts[0], entity.source);
  if (!xml) return;
  if (out.what.kind == ObjectKind::kFileTransferOverHttp) return ReadHttpFiles(*xml, out);
  if (out.what.kind == ObjectKind::kGroupState) {
    if (auto group = ReadGroupState(*xml)) out.group = *std::move(group);
    return;
  }
  if (auto imdn = ReadImdn(*xml)) out.imdn = *std::move(imdn);
}

void ReadMessage(const Entity& entity, ObjectView& out) {
  switch (out.what.kind) {
    case ObjectKind::kImdn:
    case ObjectKind::kFileTransferOverHttp:
    case ObjectKind::kGroupState: return ReadXml(entity, out);
    default: return ReadContent(entity, 0, out);
  }
}

void ReadFiles(const Entity& entity, const FileTransfer& transfer, ObjectView& out) {
  for (const auto& file : transfer.files) {
    if (out.files.size() == kMaxViewFiles) return;
    ViewFile one;
    if (file.part) {
      one = FileOf(entity, *file.part, ReadPartHead(entity.parts, entity.source, *file.part));
    } else {
      one.size = file.sdp.size;
    }
    if (!file.sdp.name.empty()) one.name = ReadUtf8(file.sdp.name);
    if (one.type.empty()) one.type = ascii::Lower(ReadUtf8(file.sdp.type));
    if (!file.sdp.information.empty()) one.description = ReadUtf8(file.sdp.information);
    CutUtf8(one.name, kMaxFileName);
    CutUtf8(one.description, kMaxHeaderValue);
    out.files.push_back(std::move(one));
  }
}

void ReadRelated(const Entity& entity, ObjectView& out) {
  if (out.what.kind == ObjectKind::kFileTransfer) {
    if (const auto transfer = ReadFileTransfer(entity.parts, entity.source))
      ReadFiles(entity, *transfer, out);
    return;
  }
  auto info = ReadSessionInfo(entity.parts, entity.source);
  if (!info) return;
  for (const auto& media : info->media)
    if (media.part && out.files.size() < kMaxViewFiles)
      out.files.push_back(
          FileOf(entity, *media.part, ReadPartHead(entity.parts, entity.source, *media.part)));
  out.session = *std::move(info);
}

bool IsCpim(const mime::Parts& parts) { return parts[0].media == mime::Media::kCpim; }

void ReadCpimMessage(const mime::Parts& parts, mime::Source& source, ObjectView& out) {
  const auto content = OpenCpim(parts[0], source);
  if (!content) {  // as it stands is better than nothing
    if (const auto raw = ReadBody(parts[0], source, kMaxViewText + 1)) AddText(out.text, ReadUtf8(*raw));
    return;
  }
  if (const auto* id = content->cpim.Imdn("Message-ID"); id && out.head.imdn_message_id.empty())
    out.head.imdn_message_id = *id;
  if (const auto* from = content->cpim.Find("From"); from && out.from_name.empty())
    out.from_name = DisplayName(*from);
  mime::MemorySource inner(content->octets);
  ReadMessage({content->parts, inner, true}, out);
}

}  // namespace

std::string DisplayName(std::string_view address) {
  const auto bracket = address.find('<');
  if (bracket == std::string_view::npos) return {};
  std::string name = mime::DecodeWords(mime::Unfold(address.substr(0, bracket)));
  if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) {
    std::string bare;
    for (std::size_t i = 1; i + 1 < name.size(); ++i) {
      if (name[i] == '\\' && i + 2 < name.size()) ++i;
      bare += name[i];
    }
    name = bare;
  }
  CutUtf8(name, kMaxHeaderValue);
  return name;
}

ObjectView ReadObjectView(const mime::Parts& parts, mime::Source& source) {
  ObjectView out;
  if (parts.empty()) return out;
  const auto header =
      ReadOctets(source, parts[0].header_begin,
                 std::min<std::uint64_t>(parts[0].body_begin, parts[0].header_begin + kMaxViewHeader));
  if (!header) {
    out.what = {ObjectKind::kMedia, true, "its octets could not be read"};
    return out;
  }
  out.head = ReadObjectHead(*header);
  out.from_name = DisplayName(out.head.from);
  // What the header says comes from the code that reads it at delivery; the parts are the stored ones.
  mime::MemorySource header_alone(*header);
  auto found = mime::Inspect(header_alone);
  if (!found) return out;  // a source in memory does not fail
  found->parts = parts;
  out.what = Classify(*found, source);

  const Entity object{parts, source};
  if (out.what.kind == ObjectKind::kSessionInfo || out.what.kind == ObjectKind::kFileTransfer) {
    ReadRelated(object, out);
  } else if (IsCpim(parts)) {
    ReadCpimMessage(parts, source, out);
  } else {
    ReadMessage(object, out);
  }
  return out;
}

tl::expected<std::string, Fault> ReadObjectFile(const mime::Parts& parts, mime::Source& source,
                                                std::size_t index, std::size_t most) {
  const auto view = ReadObjectView(parts, source);
  if (index >= view.files.size()) return Fail("the object has no such file");
  const auto& file = view.files[index];
  if (!file.part) return Fail("the file is not in the object");
  const auto read = [&](const mime::Parts& tree, mime::Source& octets) -> tl::expected<std::string, Fault> {
    auto body = ReadBody(tree[*file.part], octets, most + 1);
    if (body && body->size() > most) return Fail(fmt::format("the file has more than {} octets", most));
    return body;
  };
  if (!file.within_cpim) return read(parts, source);
  const auto content = OpenCpim(parts[0], source);
  if (!content) return tl::unexpected<Fault>(content.error());
  mime::MemorySource inner(content->octets);
  return read(content->parts, inner);
}

}  // namespace protocol::cpm
