#include "protocol/cpm/classify.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocol/cpm/body.h"
#include "protocol/cpm/cpim.h"
#include "protocol/cpm/file_transfer.h"
#include "protocol/cpm/group_state.h"
#include "protocol/cpm/http_file.h"
#include "protocol/cpm/imdn.h"
#include "protocol/cpm/limits.h"
#include "protocol/cpm/object_head.h"
#include "protocol/cpm/session_info.h"
#include "protocol/mime/fields.h"
#include "protocol/mime/header_block.h"
#include "protocol/mime/parameters.h"
#include "protocol/model/ascii.h"

namespace protocol::cpm {
namespace {

constexpr std::string_view kImdnType = "message/imdn+xml";
constexpr std::string_view kHttpFileType = "application/vnd.gsma.rcs-ft-http+xml";
constexpr std::string_view kGroupStateType = "application/group-state-object+xml";

/// Of inspection.search_header, which has lower-case names at the line's beginning.
std::string_view FieldIn(std::string_view search_header, std::string_view name_and_colon) {
  for (std::size_t at = search_header.find(name_and_colon); at != std::string_view::npos;
       at = search_header.find(name_and_colon, at + 1)) {
    if (at > 0 && search_header[at - 1] != '\n') continue;
    const std::string_view rest = search_header.substr(at + name_and_colon.size());
    return rest.substr(0, rest.find('\n'));
  }
  return {};
}

template <typename Value>
Classified Judge(ObjectKind kind, const tl::expected<Value, Fault>& read) {
  return read ? Classified{kind} : Classified{kind, true, read.error().text};
}

/// A message/imdn+xml or the like: a reader of all of its XML.
template <typename Read>
Classified JudgeXml(ObjectKind kind, const mime::Part& part, mime::Source& source, const Read& read) {
  const auto xml = ReadXmlBody(part, source);
  if (!xml) return Judge(kind, xml);
  return Judge(kind, read(*xml));
}

/// A message by what its header says of the service; `otherwise` when it says nothing.
ObjectKind KindOfMessage(const mime::Inspection& found, ObjectKind otherwise) {
  if (found.message_context == "pager-message") return ObjectKind::kSms;
  if (found.message_context == "multimedia-message") return ObjectKind::kMms;
  const std::string service = CpmService(FieldIn(found.search_header, "p-asserted-service: "));
  if (service == "msg" || service == "largemsg" || service == "deferred" || service == "systemmsg") {
    return ObjectKind::kStandaloneMessage;
  }
  if (service == "session" || service == "session.group") return ObjectKind::kChatMessage;
  return otherwise;
}

/// The XML inside a message/cpim. `body` is the beginning of the part's body, all of it when small.
template <typename Read>
Classified JudgeInside(ObjectKind kind, const Cpim& cpim, const std::string& body, const mime::Part& part,
                       mime::Source& source, const Read& read) {
  if (cpim.content_size > kMaxXml) return {kind, true, fmt::format("the XML exceeds {} octets", kMaxXml)};
  const std::uint64_t end = cpim.content_begin + cpim.content_size;
  std::string whole = body;
  if (whole.size() < end) {
    auto more = ReadBody(part, source, end);
    if (!more) return Judge(kind, more);
    whole = *std::move(more);
  }
  if (whole.size() < end) return {kind, true, "the CPIM message ends within its content"};
  whole.resize(end);
  whole.erase(0, cpim.content_begin);
  if (cpim.content_encoding.empty()) return Judge(kind, read(whole));

  mime::MemorySource inner(whole);
  const mime::Part entity{.body_end = whole.size(),
                          .encoding = mime::TransferEncoding(cpim.content_encoding)};
  return JudgeXml(kind, entity, inner, read);
}

Classified ClassifyCpim(const mime::Inspection& found, mime::Source& source) {
  const mime::Part& part = found.parts[0];
  const bool identity = part.encoding == mime::Encoding::k7Bit || part.encoding == mime::Encoding::k8Bit ||
                        part.encoding == mime::Encoding::kBinary;
  // Most messages end within the first read; headers end there nearly always.
  constexpr std::size_t kFirstRead = 4096;
  const std::uint64_t encoded = part.body_end - part.body_begin;
  auto body = ReadBody(part, source, kFirstRead);
  const auto size_of = [&]() -> std::uint64_t {
    if (identity) return encoded;
    return body->size();
  };
  const auto fault_kind = KindOfMessage(found, ObjectKind::kChatMessage);
  if (!body) return Judge(fault_kind, body);
  const bool more = body->size() == kFirstRead && encoded > kFirstRead;
  auto cpim = more && !identity ? Fail("") : ReadCpim(*body, size_of());
  if (!cpim && more) {
    // Decoded content: its size is known when it is read; a longer one is judged by its header alone.
    body = ReadBody(part, source, identity ? kMaxCpimHeader + 1 : kMaxCpimHeader + kMaxXml + 1);
    if (!body) return Judge(fault_kind, body);
    cpim = ReadCpim(*body, size_of());
  }
  if (!cpim) return Judge(fault_kind, cpim);
  if (IsType(cpim->content_type, kImdnType)) {
    return JudgeInside(ObjectKind::kImdn, *cpim, *body, part, source, &ReadImdn);
  }
  if (IsType(cpim->content_type, kHttpFileType)) {
    return JudgeInside(ObjectKind::kFileTransferOverHttp, *cpim, *body, part, source, &ReadHttpFile);
  }
  return {KindOfMessage(found, ObjectKind::kChatMessage)};
}

}  // namespace

Classified Classify(const mime::Inspection& found, mime::Source& source) {
  if (found.parts.empty()) return {};
  const mime::Part& message = found.parts[0];
  const bool addressed = found.from.has_value() && !FieldIn(found.search_header, "date: ").empty();
  if (!found.content_type)
    return {addressed ? KindOfMessage(found, ObjectKind::kStandaloneMessage) : ObjectKind::kMedia};

  const std::string_view type = *found.content_type;
  if (IsType(type, "message/cpim")) return ClassifyCpim(found, source);
  if (IsType(type, kSessionInfoType)) {
    return Judge(ObjectKind::kSessionInfo, ReadSessionInfo(found.parts, source));
  }
  if (IsType(type, kFileTransferType)) {
    return Judge(ObjectKind::kFileTransfer, ReadFileTransfer(found.parts, source));
  }
  if (IsType(type, kGroupStateType))
    return JudgeXml(ObjectKind::kGroupState, message, source, &ReadGroupState);
  if (IsType(type, kImdnType)) return JudgeXml(ObjectKind::kImdn, message, source, &ReadImdn);
  if (IsType(type, kHttpFileType)) {
    return JudgeXml(ObjectKind::kFileTransferOverHttp, message, source, &ReadHttpFile);
  }
  if (IsType(type, "multipart/related")) {
    const auto value = mime::ParseStructuredValue(type);
    const std::string* root = value.Find("type");
    const std::string_view root_type = root == nullptr ? std::string_view{} : std::string_view(*root);
    if (IsType(root_type, kSessionInfoType)) {
      return Judge(ObjectKind::kSessionInfo, ReadSessionInfo(found.parts, source));
    }
    if (IsType(root_type, kFileTransferType)) {
      return Judge(ObjectKind::kFileTransfer, ReadFileTransfer(found.parts, source));
    }
  }
  const std::string_view main = mime::Trim(type.substr(0, type.find_first_of("/;")));
  const bool message_like = ascii::EqualNoCase(main, "text") || ascii::EqualNoCase(main, "multipart") ||
                            type.find('/') == std::string_view::npos;  // no type that makes sense: text
  if (!message_like || !addressed) return {ObjectKind::kMedia};
  return {KindOfMessage(found, ObjectKind::kStandaloneMessage)};
}

}  // namespace protocol::cpm
