#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "protocol/cpm/conversation.h"

/// A conversation as cmsd tells it (GET .../conversation), taken apart, and what follows from its objects.
namespace admin {

struct ConversationFile {
  std::string name;
  std::string type;
  std::optional<std::uint64_t> size;
  std::string description;
  std::string url;
  std::string until;
  bool thumbnail = false;
  bool stored = false;  ///< cmsd has its octets
};

struct ConversationObject {
  std::string folder;
  std::uint32_t uid = 0;
  std::string kind;       ///< "chat", "sms", "imdn", ...
  std::string malformed;  ///< why; empty: it is not
  std::int64_t time = 0;  ///< Unix seconds
  bool sent = false;      ///< by the account's owner
  std::string from;
  std::string from_name;
  std::string subject;
  std::string text;
  bool text_cut = false;
  std::vector<ConversationFile> files;
  std::string session_type;                                  ///< of session info
  std::vector<std::string> participants;                     ///< of session info: who was invited
  std::string group_type;                                    ///< of a group state
  std::vector<std::pair<std::string, std::string>> members;  ///< of a group state: address, name
  std::vector<std::string> flags;

  protocol::cpm::ConversationItem item;
  std::vector<protocol::cpm::Receipt> receipts;

  bool Has(std::string_view flag) const;
  bool IsMessage() const { return kind != "imdn" && kind != "session-info" && kind != "group-state"; }
  bool IsUnread() const { return !sent && IsMessage() && !Has("\\Seen"); }
};

/// One line of a list.
struct ConversationHead {
  std::string folder;
  bool group = false;
  bool conversation = true;  ///< else a folder of mail, that may be shown too
  std::string peer;
  std::string subject;
  std::uint64_t objects = 0;
  std::uint64_t unread = 0;
  std::optional<std::int64_t> last_time;

  std::string Title() const;  ///< the peer, the subject, or the folder's own name
};

struct Conversation {
  std::string account;
  ConversationHead head;
  std::vector<ConversationObject> objects;
  std::vector<protocol::cpm::Thread> threads;             ///< their items are indices of `objects`
  std::map<std::string, std::string, std::less<>> names;  ///< address -> display name

  /// "me", a display name, or the address.
  std::string NameOf(std::string_view address) const;
  std::string SenderOf(const ConversationObject& object) const;
  /// True for a notice whose message is here: it shows as that message's receipt.
  bool IsReceipt(std::size_t object) const { return receipts_.at(object); }
  /// Everybody known to take part, without the owner: address and name.
  std::vector<std::pair<std::string, std::string>> Others() const;

  std::vector<bool> receipts_;
};

ConversationHead ReadConversationHead(const boost::json::object& json);

/// What is missing or of another type than it should be counts as absent.
Conversation ReadConversation(const boost::json::object& json);

/// `json` of cmsd with what was found out: "receipts" and "state" of each message, and "threads".
boost::json::object Explained(boost::json::object json, const Conversation& conversation);

/// "sent", "delivered", "read", "failed".
std::string_view StateOf(const ConversationObject& object);
/// "2016-03-02 09:15" in the zone of TZ; and only its time, or day.
std::string MinuteOf(std::int64_t time);
std::string ClockOf(std::int64_t time);
std::string DayOf(std::int64_t time);
/// The zone's name, "UTC".
std::string ZoneName(std::int64_t time);
/// "3.2 KiB"
std::string SizeText(std::uint64_t octets);

}  // namespace admin
