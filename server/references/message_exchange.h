#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/references/desk.h"
#include "server/references/message_plan.h"

/// References in messages for the data, and the data for references (System Description §5.2.2.1.6,
/// §5.2.2.1.7).
namespace server::references {

inline constexpr std::size_t kMaxReferencesInMessage = 100;
/// A message longer than this goes by Large Message Mode (System Description §5.2.2.1.6).
inline constexpr std::uint64_t kPagerMode = 1300;

struct NotResolved {
  std::string part;  ///< its number in the message, as BODY[] has it; within a CPIM: in what it holds
  std::string url;   ///< percent-encoded where it is no printable ASCII, and cut if it is too long for one
  std::string why;
};

struct Resolved {
  MessagePlan message;
  std::vector<Named> used;           ///< to be counted before an octet is given out
  std::vector<NotResolved> used_by;  ///< what each of them is in the message, and no `why`
  std::vector<NotResolved> not_resolved;
  std::size_t references = 0;
};

/// The message with the data in place of its references: of message/external-body parts, of the message or of
/// what its CPIMs hold, whose URL is one of ours. Messages within it, and a CPIM within a CPIM, are left
/// alone, so are the data that come in: what they refer to stays a reference. `cpim`: the message is a
/// message/cpim body. `limit`: octets of the result, kTooBig.
///
/// The data's type is that of the stored part; texts that mail can carry stay as they are, all else is
/// base64. Headers of what the data come into stay true: their Content-Transfer-Encoding is raised if it must
/// be, the message's Content-Length is corrected, those of parts are dropped.
storage::Result<Resolved> Resolve(storage::MailStore& store, ReferenceDesk& desk, std::string_view message,
                                  bool cpim, const Bearer& bearer, storage::Actor actor, std::uint64_t limit);

/// A stored message with references in place of these of its parts, one for each, in their order. What says
/// how long something is that holds one of them (Content-Length) is corrected.
storage::Result<MessagePlan> Externalise(storage::MailStore& store, storage::FolderRef folder,
                                         storage::Uid uid, const std::vector<Attachment>& parts,
                                         const std::vector<Issued>& issued);

}  // namespace server::references
