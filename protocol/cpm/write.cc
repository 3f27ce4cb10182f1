#include "protocol/cpm/write.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocol/cpm/address.h"
#include "protocol/cpm/body.h"
#include "protocol/cpm/cpim.h"
#include "protocol/cpm/limits.h"
#include "protocol/mime/header_block.h"
#include "protocol/mime/parameters.h"
#include "protocol/model/ascii.h"
#include "protocol/text/base64_lines.h"
#include "protocol/text/charset.h"

namespace protocol::cpm {
namespace {

using Object = tl::expected<std::string, Fault>;

/// Content made ready for the way.
struct Encoded {
  std::string type;
  std::string encoding;  ///< "8bit" or "base64"
  std::string disposition;
  std::string octets;
};

bool IsLine(std::string_view value) {
  return value.size() <= kMaxHeaderValue && mime::Trim(value) == value &&
         std::none_of(value.begin(), value.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool IsToken(std::string_view text) {  // RFC 2045 §5.1
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7f && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
  });
}

bool IsContentType(std::string_view type) {
  const auto value = mime::ParseStructuredValue(type);
  return IsLine(type) && IsToken(value.type) && IsToken(value.subtype);
}

std::string EncodeLines(std::string_view octets) {
  std::string out;
  text::Base64Lines lines;
  lines.Add(out, octets);
  lines.End(out);
  return out;
}

std::string WithCrlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

/// RFC 2045 §2.8: no NUL, no CR without LF, lines of at most 998 octets.
bool Is8Bit(std::string_view text) {
  std::size_t line = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0' || (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'))) return false;
    line = text[i] == '\n' ? 0 : line + 1;
    if (line > 999) return false;  // the CR among them
  }
  return true;
}

/// `; filename="x"`, or RFC 2231 §4 where that cannot be.
std::string FileName(std::string_view utf8) {
  const bool quotable = utf8.size() <= 200 && std::all_of(utf8.begin(), utf8.end(), [](char c) {
                          return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
                        });
  if (quotable) return fmt::format("; filename=\"{}\"", utf8);
  std::string out = "; filename*=utf-8''";
  for (const char c : utf8) {
    if (ascii::IsAlpha(c) || ascii::IsDigit(c) || c == '-' || c == '.' || c == '_') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// Where the octets of a content are: with it, or with the caller, who will put them into the place left for
/// them.
enum class Octets { kHere, kAway };

tl::expected<Encoded, Fault> Encode(const Content& content, Octets octets = Octets::kHere) {
  if (!IsContentType(content.type)) return Fail("a content type is none, or holds control characters");
  if (!content.disposition.empty() && !IsToken(content.disposition)) return Fail("a disposition is no token");
  if (!text::IsValidUtf8(content.file_name)) return Fail("a file name is not UTF-8");
  if (content.file_name.size() > kMaxFileName) {
    return Fail(fmt::format("a file name exceeds {} octets", kMaxFileName));
  }
  Encoded out{.type = content.type, .encoding = "8bit", .disposition = content.disposition};
  if (!content.file_name.empty()) {
    if (out.disposition.empty()) out.disposition = "attachment";
    out.disposition += FileName(content.file_name);
  }
  if (octets == Octets::kAway) {
    out.encoding = "base64";
    return out;
  }
  const bool text = ascii::EqualNoCase(std::string_view(content.type).substr(0, 5), "text/");
  if (text) out.octets = WithCrlf(content.octets);
  if (!text || !Is8Bit(out.octets)) {
    out.encoding = "base64";
    out.octets = EncodeLines(content.octets);
  }
  return out;
}

/// A body part with its header.
Object WritePart(const Content& content, Octets octets) {
  auto encoded = Encode(content, octets);
  if (!encoded) return tl::unexpected<Fault>(encoded.error());
  if (!IsLine(content.id) || StripCid(content.id) != content.id ||
      content.id.find_first_of("<> ") != std::string::npos) {
    return Fail("a Content-ID is none");
  }
  if (!IsLine(content.description) || !text::IsValidUtf8(content.description))
    return Fail("a description is no line");
  std::string out =
      "Content-Type: " + encoded->type + "\r\nContent-Transfer-Encoding: " + encoded->encoding + "\r\n";
  if (!content.id.empty()) out += "Content-ID: <" + content.id + ">\r\n";
  if (!content.description.empty())
    out += "Content-Description: " + EncodeHeaderText(content.description) + "\r\n";
  if (!encoded->disposition.empty()) out += "Content-Disposition: " + encoded->disposition + "\r\n";
  return out + "\r\n" + encoded->octets;
}

/// `stem`, or with the first number behind it that no part has a line beginning with.
std::string ChooseBoundary(std::string_view stem, const std::vector<std::string>& parts) {
  std::string boundary(stem);
  const auto occurs = [&] {
    const std::string line = "--" + boundary;
    return std::any_of(parts.begin(), parts.end(),
                       [&](const std::string& part) { return part.find(line) != std::string::npos; });
  };
  for (unsigned number = 1; occurs(); ++number) boundary = fmt::format("{}-{}", stem, number);
  return boundary;
}

std::string JoinParts(std::string_view boundary, const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts)
    out.append("--").append(boundary).append("\r\n").append(part).append("\r\n");
  return out.append("--").append(boundary).append("--\r\n");
}

tl::expected<std::vector<std::string>, Fault> WriteParts(const std::vector<Content>& contents,
                                                         Octets octets = Octets::kHere) {
  if (contents.size() > kMaxRelatedParts) return Fail(fmt::format("more than {} parts", kMaxRelatedParts));
  std::vector<std::string> parts;
  for (const Content& content : contents) {
    auto part = WritePart(content, octets);
    if (!part) return tl::unexpected<Fault>(part.error());
    parts.push_back(*std::move(part));
  }
  return parts;
}

/// One content as it is, several as a multipart.
tl::expected<Encoded, Fault> Gather(const std::vector<Content>& contents, std::string_view subtype,
                                    std::string_view stem) {
  if (contents.empty()) return Fail("the message has no content");
  const bool bare = contents[0].id.empty() && contents[0].description.empty();
  if (contents.size() == 1 && bare) return Encode(contents[0]);
  auto parts = WriteParts(contents);
  if (!parts) return tl::unexpected<Fault>(parts.error());
  const std::string boundary = ChooseBoundary(stem, *parts);
  return Encoded{.type = fmt::format("multipart/{}; boundary=\"{}\"", subtype, boundary),
                 .encoding = "8bit",
                 .octets = JoinParts(boundary, *parts)};
}

Object Finish(const ObjectHead& head, const EntityFields& entity, std::string_view body) {
  auto out = WriteObjectHead(head, entity);
  if (out) out->append(body);
  return out;
}

struct CpimOptions {
  std::string_view notify;
  bool anonymous = true;  ///< a session's; else From and To of the object
  bool rcs_namespace = false;
};

/// message/cpim around `content`.
Object WriteCpimObject(const ObjectHead& head, const CpimOptions& options, const Encoded& content) {
  if (!IsLine(options.notify)) return Fail("the disposition notification is no line");
  const auto address = [&](const std::string& own) -> std::string {
    if (options.anonymous) return fmt::format("<{}>", kAnonymousAddress);
    return own.find('<') == std::string::npos ? "<" + own + ">" : own;
  };
  std::vector<CpimLine> lines{{"From", address(head.from)}, {"To", address(head.to)}};
  lines.push_back({"NS", "imdn <urn:ietf:params:imdn>"});
  if (options.rcs_namespace) lines.push_back({"NS", "rcs <http://www.gsma.com>"});
  if (!head.imdn_message_id.empty()) lines.push_back({"imdn.Message-ID", head.imdn_message_id});
  if (head.date) lines.push_back({"DateTime", FormatIsoDateTime(*head.date)});
  if (!options.notify.empty())
    lines.push_back({"imdn.Disposition-Notification", std::string(options.notify)});
  const std::string body =
      WriteCpim(lines, {.type = content.type,
                        .disposition = content.disposition,
                        .encoding = content.encoding == "8bit" ? std::string() : content.encoding,
                        .octets = content.octets});
  return Finish(head, {.content_type = "message/cpim", .transfer_encoding = "8bit"}, body);
}

/// Session info and file transfers.
struct Described {
  std::string_view object;  ///< for faults
  std::string_view type;    ///< Application/X-CPM-...
  std::string xml;
  std::vector<std::string_view> cids;
};

/// A multipart/related: its header, its boundary, and its parts, the XML first.
struct Related {
  std::string head;
  std::string boundary;
  std::vector<std::string> parts;
};

tl::expected<Related, Fault> WriteRelated(const ObjectHead& head, const Described& described,
                                          const std::vector<Content>& contents, Octets octets) {
  for (const Content& content : contents) {
    if (std::find(described.cids.begin(), described.cids.end(), content.id) == described.cids.end()) {
      return Fail(fmt::format("a content's id is not in the {}", described.object));
    }
  }
  auto parts = WriteParts(contents, octets);
  if (!parts) return tl::unexpected<Fault>(parts.error());
  std::string_view xml = described.xml;
  if (xml.ends_with("\r\n")) xml.remove_suffix(2);
  parts->insert(parts->begin(), fmt::format("Content-Type: {}\r\n\r\n{}", described.type, xml));
  Related out{.boundary = ChooseBoundary("cpm", *parts), .parts = *std::move(parts)};
  auto written =
      WriteObjectHead(head, {.content_type = fmt::format("multipart/related;boundary={};type=\"{}\"",
                                                         out.boundary, described.type)});
  if (!written) return tl::unexpected<Fault>(written.error());
  out.head = *std::move(written);
  return out;
}

Object WriteDescribed(const ObjectHead& head, const Described& described,
                      const std::vector<Content>& contents, Layout layout) {
  if (layout == Layout::k2x && contents.empty()) {
    return Finish(head, {.content_type = ascii::Lower(described.type), .transfer_encoding = "8bit"},
                  described.xml);
  }
  auto related = WriteRelated(head, described, contents, Octets::kHere);
  if (!related) return tl::unexpected<Fault>(related.error());
  return related->head + JoinParts(related->boundary, related->parts);
}

tl::expected<Described, Fault> Describe(const FileTransfer& transfer, Layout layout) {
  auto xml = WriteFileTransferXml(transfer, layout);
  if (!xml) return tl::unexpected<Fault>(xml.error());
  Described described{
      .object = "file transfer", .type = "Application/X-CPM-File-Transfer", .xml = *std::move(xml)};
  for (const auto& file : transfer.files) described.cids.push_back(file.cid);
  return described;
}

}  // namespace

Object WriteObject(const ObjectHead& head, const ChatMessage& body, Layout /*layout*/) {
  const auto content = Encode(body.content);
  if (!content) return tl::unexpected<Fault>(content.error());
  return WriteCpimObject(head, {.notify = body.notify}, *content);
}

Object WriteObject(const ObjectHead& head, const StandaloneMessage& body, Layout layout) {
  ObjectHead own = head;
  // Without it a message/cpim would be a chat message.
  if (own.asserted_service.empty()) own.asserted_service = "urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg";
  const auto content = Gather(body.contents, "mixed", "p");
  if (!content) return tl::unexpected<Fault>(content.error());
  if (layout == Layout::k2x)
    return WriteCpimObject(own, {.notify = body.notify, .anonymous = false}, *content);
  if (head.from.empty() || !head.date) return Fail("a standalone message needs From and Date");
  const bool message =
      ascii::EqualNoCase(content->type.substr(0, 5), "text/") || content->type.starts_with("multipart/");
  if (!message) {  // alone it would be a stand-alone medium
    auto parts = WriteParts(body.contents);
    if (!parts) return tl::unexpected<Fault>(parts.error());
    const std::string boundary = ChooseBoundary("p", *parts);
    return Finish(own, {.content_type = fmt::format("multipart/mixed; boundary=\"{}\"", boundary)},
                  JoinParts(boundary, *parts));
  }
  return Finish(own,
                {.content_type = content->type,
                 .transfer_encoding = content->encoding,
                 .content_disposition = content->disposition},
                content->octets);
}

Object WriteObject(const ObjectHead& head, const ImdnMessage& body, Layout /*layout*/) {
  auto xml = WriteImdn(body.imdn);
  if (!xml) return xml;
  return WriteCpimObject(head, {},
                         {.type = "message/imdn+xml",
                          .encoding = "8bit",
                          .disposition = "notification",
                          .octets = *std::move(xml)});
}

Object WriteObject(const ObjectHead& head, const SmsMessage& body, Layout /*layout*/) {
  if (!text::IsValidUtf8(body.text)) return Fail("the text of the SMS is not UTF-8");
  ObjectHead own = head;
  if (own.context.empty()) own.context = "pager-message";
  if (own.correlator.empty()) own.correlator = CorrelatorOf(body.text);
  const auto content = Encode({.octets = body.text});
  if (!content) return tl::unexpected<Fault>(content.error());
  return WriteCpimObject(own, {.anonymous = false, .rcs_namespace = true}, *content);
}

Object WriteObject(const ObjectHead& head, const MmsMessage& body, Layout /*layout*/) {
  ObjectHead own = head;
  if (own.context.empty()) own.context = "multimedia-message";
  if (body.contents.empty()) return Fail("the MMS has no content");
  auto parts = WriteParts(body.contents);
  if (!parts) return tl::unexpected<Fault>(parts.error());
  const std::string boundary = ChooseBoundary("mms", *parts);
  const std::string type(
      mime::Trim(std::string_view(body.contents[0].type).substr(0, body.contents[0].type.find(';'))));
  Encoded content{.type = fmt::format("multipart/related; boundary=\"{}\"; type=\"{}\"", boundary, type),
                  .encoding = "8bit",
                  .octets = JoinParts(boundary, *parts)};
  if (!body.contents[0].id.empty()) content.type += fmt::format("; start=\"<{}>\"", body.contents[0].id);
  return WriteCpimObject(own, {.anonymous = false, .rcs_namespace = true}, content);
}

Object WriteObject(const ObjectHead& head, const HttpFileMessage& body, Layout /*layout*/) {
  auto xml = WriteHttpFile(body.file);
  if (!xml) return xml;
  return WriteCpimObject(
      head, {.notify = body.notify},
      {.type = "application/vnd.gsma.rcs-ft-http+xml", .encoding = "8bit", .octets = *std::move(xml)});
}

Object WriteObject(const ObjectHead& head, const SessionInfoObject& body, Layout layout) {
  auto xml = WriteSessionXml(body.info, layout);
  if (!xml) return xml;
  Described described{.object = "session info", .type = "Application/X-CPM-Session", .xml = *std::move(xml)};
  for (const auto& media : body.info.media) described.cids.push_back(media.cid);
  return WriteDescribed(head, described, body.contents, layout);
}

Object WriteObject(const ObjectHead& head, const FileTransferObject& body, Layout layout) {
  const auto described = Describe(body.transfer, layout);
  if (!described) return tl::unexpected<Fault>(described.error());
  return WriteDescribed(head, *described, body.contents, layout);
}

Object WriteObject(const ObjectHead& head, const GroupStateObject& body, Layout /*layout*/) {
  auto xml = WriteGroupState(body.state);
  if (!xml) return xml;
  return Finish(head, {.content_type = "application/group-state-object+xml", .transfer_encoding = "8bit"},
                *xml);
}

Object WriteObject(const ObjectHead& head, const MediaObject& body, Layout /*layout*/) {
  const auto content = Encode(body.content);
  if (!content) return tl::unexpected<Fault>(content.error());
  return Finish(head,
                {.content_type = content->type,
                 .transfer_encoding = content->encoding,
                 .content_disposition = content->disposition},
                content->encoding == "base64" ? content->octets + "\r\n" : content->octets);
}

tl::expected<Pieces, Fault> WriteAround(const ObjectHead& head, const FileTransferObject& body,
                                        Layout layout) {
  const auto described = Describe(body.transfer, layout);
  if (!described) return tl::unexpected<Fault>(described.error());
  if (body.contents.empty()) {
    auto whole = WriteDescribed(head, *described, {}, layout);
    if (!whole) return tl::unexpected<Fault>(whole.error());
    return Pieces{*std::move(whole)};
  }
  auto related = WriteRelated(head, *described, body.contents, Octets::kAway);
  if (!related) return tl::unexpected<Fault>(related.error());
  // Lines of base64 never begin with a hyphen, so the boundary occurs in no file.
  const std::string delimiter = "--" + related->boundary;
  Pieces pieces{related->head};
  for (const std::string& part : related->parts) {
    pieces.back() += delimiter + "\r\n" + part;
    if (&part != &related->parts.front()) pieces.emplace_back();
    pieces.back() += "\r\n";
  }
  pieces.back() += delimiter + "--\r\n";
  return pieces;
}

tl::expected<Pieces, Fault> WriteAround(const ObjectHead& head, const MediaObject& body, Layout /*layout*/) {
  const auto content = Encode(body.content, Octets::kAway);
  if (!content) return tl::unexpected<Fault>(content.error());
  auto written = WriteObjectHead(head, {.content_type = content->type,
                                        .transfer_encoding = content->encoding,
                                        .content_disposition = content->disposition});
  if (!written) return tl::unexpected<Fault>(written.error());
  return Pieces{*std::move(written), "\r\n"};
}

}  // namespace protocol::cpm
