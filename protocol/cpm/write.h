#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/cpm/fault.h"
#include "protocol/cpm/file_transfer.h"
#include "protocol/cpm/group_state.h"
#include "protocol/cpm/http_file.h"
#include "protocol/cpm/imdn.h"
#include "protocol/cpm/layout.h"
#include "protocol/cpm/object_head.h"
#include "protocol/cpm/session_info.h"

namespace protocol::cpm {

/// A body or a part with its octets as they are; a writer encodes them for the way.
///
/// text/* with bare LFs gets CRLF (RFC 2046 §4.1.1). Text that then is 8-bit clean stands as it is, all else
/// becomes base64 in lines of 76.
struct Content {
  std::string type = "text/plain; charset=utf-8";
  std::string octets;
  std::string id;         ///< Content-ID without brackets; empty: none
  std::string file_name;  ///< UTF-8; empty: none
  std::string
      disposition;  ///< "attachment", "render"; empty: none, or "attachment" where there is a file name
  std::string description;  ///< Content-Description, UTF-8; empty: none
};

/// A message of a session, message/cpim in both layouts. `from` and `to` inside are anonymous, as in a
/// session.
struct ChatMessage {
  Content content;
  std::string notify = "positive-delivery, display";  ///< imdn.Disposition-Notification; empty: none
};

/// kV20: the content itself, or multipart/mixed of several; k2x: message/cpim around the same.
struct StandaloneMessage {
  std::vector<Content> contents;  ///< one at least
  std::string notify = "positive-delivery, display";
};

/// message/cpim in both layouts. head.imdn_message_id is the notification's own.
struct ImdnMessage {
  Imdn imdn;
};

/// message/cpim in both layouts. An empty head.context becomes pager-message, an empty head.correlator
/// CorrelatorOf(text).
struct SmsMessage {
  std::string text;  ///< UTF-8
};

/// message/cpim around multipart/related in both layouts; the first content is the SMIL where there is one.
/// An empty head.context becomes multimedia-message; head.correlator is the MMS Message-ID.
struct MmsMessage {
  std::vector<Content> contents;  ///< one at least
};

/// message/cpim in both layouts.
struct HttpFileMessage {
  HttpFile file;
  std::string notify = "positive-delivery, display";
};

/// Parts follow in the order of `contents`. kV20: multipart/related; k2x: the XML alone when there are no
/// contents, else as kV20 but around an XML document: a part must be addressable to be fetched.
struct SessionInfoObject {
  SessionInfo info;
  std::vector<Content> contents;  ///< each with the id of one info.media
};

/// The same for a file transfer history.
struct FileTransferObject {
  FileTransfer transfer;
  std::vector<Content> contents;  ///< each with the id of one transfer.files
};

/// Alike in both layouts.
struct GroupStateObject {
  GroupState state;
};

/// A stand-alone medium, alike in both layouts. No Message-Direction is added by itself.
struct MediaObject {
  Content content;
};

/// A whole object, octets ready to be stored: the header of WriteObjectHead() and the body. The same input
/// gives the same octets. Faults name the value that cannot be written; nothing is written half.
tl::expected<std::string, Fault> WriteObject(const ObjectHead& head, const ChatMessage& body, Layout layout);
tl::expected<std::string, Fault> WriteObject(const ObjectHead& head, const StandaloneMessage& body,
                                             Layout layout);
tl::expected<std::string, Fault> WriteObject(const ObjectHead& head, const ImdnMessage& body, Layout layout);
tl::expected<std::string, Fault> WriteObject(const ObjectHead& head, const SmsMessage& body, Layout layout);
tl::expected<std::string, Fault> WriteObject(const ObjectHead& head, const MmsMessage& body, Layout layout);
tl::expected<std::string, Fault> WriteObject(const ObjectHead& head, const HttpFileMessage& body,
                                             Layout layout);
tl::expected<std::string, Fault> WriteObject(const ObjectHead& head, const SessionInfoObject& body,
                                             Layout layout);
tl::expected<std::string, Fault> WriteObject(const ObjectHead& head, const FileTransferObject& body,
                                             Layout layout);
tl::expected<std::string, Fault> WriteObject(const ObjectHead& head, const GroupStateObject& body,
                                             Layout layout);
tl::expected<std::string, Fault> WriteObject(const ObjectHead& head, const MediaObject& body, Layout layout);

/// An object around octets that are elsewhere, files larger than memory say: those of content i belong
/// between pieces i and i + 1, in the lines of text::Base64Lines. What the contents hold themselves is not
/// looked at; otherwise as WriteObject(), which writes the same but for text.
using Pieces = std::vector<std::string>;
tl::expected<Pieces, Fault> WriteAround(const ObjectHead& head, const FileTransferObject& body,
                                        Layout layout);
tl::expected<Pieces, Fault> WriteAround(const ObjectHead& head, const MediaObject& body, Layout layout);

}  // namespace protocol::cpm
