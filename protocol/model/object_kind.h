#pragma once

#include <cstdint>

namespace protocol {

/// What a stored object is (spec note 2.1). On disk: append only.
enum class ObjectKind : std::uint8_t {
  kUnclassified = 0,  ///< stored before objects were classified
  kChatMessage = 1,   ///< message/cpim of a session, as sent over MSRP
  kStandaloneMessage = 2,
  kImdn = 3,  ///< a disposition notification
  kSms = 4,
  kMms = 5,
  kFileTransferOverHttp = 6,  ///< the descriptor of a file on a content server
  kFileTransfer = 7,          ///< file transfer history object
  kSessionInfo = 8,
  kGroupState = 9,
  kMedia = 10,  ///< stand-alone media object
};

}  // namespace protocol
