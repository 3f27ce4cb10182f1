#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "protocol/cpm/write.h"
#include "protocol/model/flags.h"
#include "protocol/model/object_kind.h"
#include "storage/store/folder.h"
#include "storage/store/message.h"

namespace storage {

/// Something that happened to a user, as the network tells it: what MailStore::Record() makes one object of
/// (spec note 2.11). The names of the fields are those of the operator's API.
struct Event {
  /// The kind of event. A session's end is known by the group state it leaves; its start by the session info.
  using What =
      std::variant<protocol::cpm::ChatMessage, protocol::cpm::StandaloneMessage, protocol::cpm::ImdnMessage,
                   protocol::cpm::SmsMessage, protocol::cpm::MmsMessage, protocol::cpm::HttpFileMessage,
                   protocol::cpm::SessionInfoObject, protocol::cpm::FileTransferObject,
                   protocol::cpm::GroupStateObject, protocol::cpm::MediaObject>;

  /// `direction` must be there, and ids as RequiredIds() says. Where they are absent, the owner's address is
  /// taken for From (sent) or To (received), now for the date, and the store makes a Message-ID.
  protocol::cpm::ObjectHead head;
  What what;
  /// Of one with a peer: who that is, in any form of P-Asserted-Identity; empty: From (received) or To
  /// (sent).
  std::string peer;
  /// A conversation of more than two: its folder is that of head.conversation_id.
  bool group = false;
  /// A group's: it belongs to the session head.contribution_id. Always so of session info and group state.
  bool in_session = false;
  /// The octets of the contents, in their order, if they are not in the contents themselves. A file
  /// transfer's and a medium's are not held in memory; of others at most kMaxEventContents octets are.
  std::vector<StagedBody> files;
  protocol::FlagSet flags;
  std::int64_t expiry = 0;  ///< Unix seconds: a deferred message (NewMessage::expiry)
};

/// Octets of a message with its attachments, which is written in memory.
inline constexpr std::uint64_t kMaxEventContents = 8 << 20;

/// What has become of an event.
struct Recorded {
  FolderRef folder;
  std::string path;
  UidValidity uid_validity;
  Uid uid;
  ObjectId object;
  bool created = true;  ///< false: it had been recorded before
};

/// The object that an event becomes. (event_object.cc)
protocol::ObjectKind KindOf(const Event& event);

/// The contents of an event, which its files belong to. (event_object.cc)
std::vector<protocol::cpm::Content*> ContentsOf(Event& event);

}  // namespace storage
