#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/imap/command/fetch.h"

namespace protocol {

/// What NOTIFY can ask for (RFC 5465 §5). AnnotationChange is not among them: there are no annotations of
/// messages here.
enum class NotifyEvent : std::uint8_t {
  kMessageNew,
  kMessageExpunge,
  kFlagChange,
  kMailboxName,
  kSubscriptionChange,
  kMailboxMetadataChange,
  kServerMetadataChange,
};
inline constexpr std::array<std::string_view, 7> kNotifyEventNames{
    "MessageNew",         "MessageExpunge",        "FlagChange",          "MailboxName",
    "SubscriptionChange", "MailboxMetadataChange", "ServerMetadataChange"};

class NotifyEvents {
 public:
  constexpr NotifyEvents() = default;
  constexpr NotifyEvents(std::initializer_list<NotifyEvent> events) {
    for (const NotifyEvent event : events) Add(event);
  }
  constexpr void Add(NotifyEvent event) { bits_ = static_cast<std::uint8_t>(bits_ | Bit(event)); }
  constexpr bool Has(NotifyEvent event) const { return (bits_ & Bit(event)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr NotifyEvents operator&(NotifyEvents other) const { return NotifyEvents(bits_ & other.bits_); }
  constexpr NotifyEvents operator|(NotifyEvents other) const { return NotifyEvents(bits_ | other.bits_); }
  friend constexpr bool operator==(NotifyEvents, NotifyEvents) = default;

 private:
  constexpr explicit NotifyEvents(int bits) : bits_(static_cast<std::uint8_t>(bits)) {}
  static constexpr int Bit(NotifyEvent event) { return 1 << static_cast<int>(event); }
  std::uint8_t bits_ = 0;
};

/// <message-event>s (RFC 5465 §8).
inline constexpr NotifyEvents kMessageEvents{NotifyEvent::kMessageNew, NotifyEvent::kMessageExpunge,
                                             NotifyEvent::kFlagChange};

/// Which mailboxes an event group is about (RFC 5465 §6).
enum class NotifyFilter : std::uint8_t {
  kSelected,
  kSelectedDelayed,
  kInboxes,
  kPersonal,
  kSubscribed,
  kSubtree,
  kMailboxes,
};

struct NotifyGroup {
  NotifyFilter filter = NotifyFilter::kPersonal;
  NotifyEvents events;                 ///< empty: NONE
  std::vector<std::string> mailboxes;  ///< kSubtree, kMailboxes: UTF-8, canonical, at least one

  friend bool operator==(const NotifyGroup&, const NotifyGroup&) = default;
};

}  // namespace protocol

namespace protocol::command {

/// RFC 5465 §3.1. What was put together wrongly is no command; what this server does not do is one.
struct Notify {
  enum class Refusal : std::uint8_t {
    kNone,
    kUnsupportedEvent,
    kTooManyMailboxes,  ///< limits::kNotifyMailboxes, kNotifyOctets
  };

  Refusal refusal = Refusal::kNone;  ///< or else, there are no groups
  bool set = false;                  ///< false: NONE, and nothing else is set
  bool status = false;               ///< SET STATUS
  std::vector<NotifyGroup> groups;
  std::vector<FetchItem> new_message_items;  ///< of MessageNew in the selected mailbox

  friend bool operator==(const Notify&, const Notify&) = default;
};

}  // namespace protocol::command
