#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/cpm/imdn.h"
#include "protocol/cpm/object_head.h"

/// How the objects of a conversation belong together.
namespace protocol::cpm {

/// What is looked at of one object.
struct ConversationItem {
  /// An IMDN's.
  struct Notice {
    std::string message_id;  ///< of the message it reports on
    Imdn::Status status = Imdn::Status::kDelivered;
    std::string by;  ///< the reporting recipient's address
  };
  std::int64_t time = 0;  ///< Unix seconds
  std::optional<Direction> direction;
  std::string contribution_id;              ///< empty: none
  std::string in_reply_to_contribution_id;  ///< empty: none
  std::string imdn_message_id;              ///< empty: none
  std::optional<Notice> notice;
};

/// What became of a message with one recipient.
struct Receipt {
  std::string by;
  Imdn::Status status = Imdn::Status::kDelivered;
  std::int64_t time = 0;
  std::size_t notice = 0;  ///< which item reported it

  friend bool operator==(const Receipt&, const Receipt&) = default;
};

/// For each item its receipts, by time: those of the IMDNs whose message-id is its IMDN-Message-ID (RFC 5438
/// §7.2.1.1). A notice that goes the same way as the message is not about it; nor is one about a notice. Of
/// several that say the same for the same recipient, the first counts; at most kMaxReceipts are kept of one
/// message. Of several messages with one id (a copy), each has the receipts.
std::vector<std::vector<Receipt>> ReceiptsOf(const std::vector<ConversationItem>& items);

/// How far a message came, by the best that any recipient reports. A failure shows only where nothing better
/// is known.
enum class Reached { kUnknown, kFailed, kDelivered, kDisplayed };
Reached ReachedBy(const std::vector<Receipt>& receipts);

/// The items of one contribution (a session, a standalone message, a file transfer), by time.
struct Thread {
  std::string contribution_id;        ///< empty: one item without any
  std::optional<std::size_t> parent;  ///< the thread that it replies to, always an earlier one of the list
  std::size_t depth = 0;              ///< 0: no reply; at most kMaxThreadDepth
  std::vector<std::size_t> items;     ///< never empty

  friend bool operator==(const Thread&, const Thread&) = default;
};

/// What threads are made of.
struct ThreadItem {
  std::int64_t time = 0;
  std::string_view contribution_id;              ///< empty: none
  std::string_view in_reply_to_contribution_id;  ///< empty: none
};

/// In reading order: by the time of the first item, replies behind what they reply to. A reply to nothing
/// that is there, to itself, or in a circle is no reply.
std::vector<Thread> ThreadsOf(std::span<const ThreadItem> items);
std::vector<Thread> ThreadsOf(const std::vector<ConversationItem>& items);

}  // namespace protocol::cpm
