#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/cpm/classify.h"
#include "protocol/cpm/fault.h"
#include "protocol/cpm/group_state.h"
#include "protocol/cpm/imdn.h"
#include "protocol/cpm/object_head.h"
#include "protocol/cpm/session_info.h"
#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"

namespace protocol::cpm {

/// A file that an object has, or that it points to.
struct ViewFile {
  std::string name;                   ///< UTF-8, at most kMaxFileName octets; empty: it has none
  std::string type;                   ///< "image/jpeg", in lower case
  std::optional<std::uint64_t> size;  ///< octets, transfer encoding undone; nullopt: only the sender knows
  std::string description;
  std::string section;  ///< of the part in the object, "2.1"; empty: IMAP has no number for it
  std::string url;      ///< on a content server; empty: the octets are in the object
  std::string until;    ///< how long the server keeps it, as spelled
  bool thumbnail = false;

  std::optional<std::size_t> part;  ///< index in mime::Parts, of the object or of what its CPIM holds
  bool within_cpim = false;
};

/// What a person sees of an object.
struct ViewText {
  std::string utf8;  ///< lines end in LF, none after the last
  bool cut = false;  ///< there is more than kMaxViewText
};

struct ObjectView {
  Classified what;
  ObjectHead head;        ///< imdn_message_id is the CPIM header's where there is no field
  std::string from_name;  ///< display name of the sender, UTF-8; empty: none was given
  ViewText text;
  std::vector<ViewFile> files;  ///< at most kMaxViewFiles
  std::optional<Imdn> imdn;
  std::optional<SessionInfo> session;
  std::optional<GroupState> group;
};

/// Reads a whole object: its kind, its text and its files, or what it reports. Never fails: of a malformed
/// object there is what could be read. Of files nothing but sizes is read. All texts are UTF-8 but for the
/// head's, which stand as they came.
ObjectView ReadObjectView(const mime::Parts& parts, mime::Source& source);

/// The octets of files[index] of ReadObjectView(), transfer encoding undone. Faults: there is no such file,
/// it is not in the object, it has more than `most` octets.
tl::expected<std::string, Fault> ReadObjectFile(const mime::Parts& parts, mime::Source& source,
                                                std::size_t index, std::size_t most);

/// "Bea" of `"Bea" <tel:+15550100222>`, RFC 2047 words decoded; empty where there is none.
std::string DisplayName(std::string_view address);

}  // namespace protocol::cpm
