#include "server/http/object_json.h"

#include <boost/json/array.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "protocol/cpm/address.h"
#include "protocol/imap/object_id.h"
#include "protocol/text/charset.h"

namespace server::http {
namespace {

namespace json = boost::json;
using protocol::ObjectKind;
namespace cpm = protocol::cpm;

std::string Utf8(std::string_view octets) {
  return protocol::text::ToUtf8(octets, "utf-8").value_or(std::string());
}

void Put(json::object& out, std::string_view key, std::string_view value) {
  if (!value.empty()) out[key] = Utf8(value);
}

/// As the peer's folder would be called; what is no address stands as it came.
std::string Address(std::string_view value) { return cpm::ParsePeer(value).value_or(std::string(value)); }

json::array Addresses(const std::vector<std::string>& addresses) {
  json::array out;
  for (const auto& address : addresses) out.push_back(json::value(Utf8(Address(address))));
  return out;
}

json::object ToJson(const cpm::ViewFile& file) {
  json::object out;
  Put(out, "name", file.name);
  Put(out, "type", file.type);
  if (file.size) out["size"] = *file.size;
  Put(out, "description", file.description);
  Put(out, "section", file.section);
  Put(out, "url", file.url);
  Put(out, "until", file.until);
  if (file.thumbnail) out["thumbnail"] = true;
  out["stored"] = file.part.has_value();
  return out;
}

json::object ToJson(const cpm::Imdn& imdn, std::string_view from) {
  json::object out;
  Put(out, "message_id", imdn.message_id);
  out["status"] = cpm::ToString(imdn.status);
  Put(out, "by", Address(imdn.recipient_uri.empty() ? from : imdn.recipient_uri));
  Put(out, "sent", imdn.date_time);
  return out;
}

json::object ToJson(const cpm::SessionInfo& session) {
  json::object out;
  Put(out, "type", session.type);
  out["participants"] = Addresses(session.participants);
  return out;
}

json::object ToJson(const cpm::GroupState& group) {
  json::object out;
  Put(out, "timestamp", group.timestamp);
  Put(out, "type", group.group_type);
  Put(out, "focus", group.last_focus_session_id);
  json::array participants;
  for (const auto& one : group.participants) {
    json::object entry;
    Put(entry, "address", Address(one.address));
    Put(entry, "name", one.name);
    Put(entry, "role", one.role);
    participants.push_back(std::move(entry));
  }
  out["participants"] = std::move(participants);
  return out;
}

void PutHead(json::object& out, const cpm::ObjectView& view) {
  const auto& head = view.head;
  if (head.direction) out["direction"] = cpm::ToString(*head.direction);
  Put(out, "from", Address(head.from));
  Put(out, "from_name", view.from_name);
  Put(out, "to", Address(head.to));
  Put(out, "subject", head.subject);
  Put(out, "message_id", head.message_id);
  Put(out, "conversation_id", head.conversation_id);
  Put(out, "contribution_id", head.contribution_id);
  Put(out, "in_reply_to_contribution_id", head.in_reply_to_contribution_id);
  Put(out, "imdn_message_id", head.imdn_message_id);
}

}  // namespace

std::string_view NameOf(storage::FolderKind kind) {
  switch (kind) {
    case storage::FolderKind::kUser: return "user";
    case storage::FolderKind::kInbox: return "inbox";
    case storage::FolderKind::kDefault: return "default";
    case storage::FolderKind::kConversation: return "conversation";
    case storage::FolderKind::kSession: return "session";
    case storage::FolderKind::kRoot: return "root";
  }
  return "unknown";
}

std::string_view NameOf(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kUnclassified: return "unclassified";
    case ObjectKind::kChatMessage: return "chat";
    case ObjectKind::kStandaloneMessage: return "standalone";
    case ObjectKind::kImdn: return "imdn";
    case ObjectKind::kSms: return "sms";
    case ObjectKind::kMms: return "mms";
    case ObjectKind::kFileTransferOverHttp: return "file-link";
    case ObjectKind::kFileTransfer: return "file-transfer";
    case ObjectKind::kSessionInfo: return "session-info";
    case ObjectKind::kGroupState: return "group-state";
    case ObjectKind::kMedia: return "media";
  }
  return "unknown";
}

std::optional<ObjectKind> ObjectKindOf(std::string_view name) {
  for (auto kind = static_cast<std::uint8_t>(ObjectKind::kChatMessage);
       kind <= static_cast<std::uint8_t>(ObjectKind::kMedia); ++kind) {
    if (NameOf(ObjectKind{kind}) == name) return ObjectKind{kind};
  }
  return std::nullopt;
}

std::string MailboxIdOf(storage::FolderId folder) {
  std::string id;
  protocol::AppendMailboxId(id, folder);
  return id;
}

std::string Rfc3339(const protocol::InternalDate& date) {
  const auto local = static_cast<std::time_t>(date.unix_seconds + date.zone_minutes * 60);
  const int zone = date.zone_minutes < 0 ? -date.zone_minutes : date.zone_minutes;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}{}{:02}:{:02}", fmt::gmtime(local),
                     date.zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

protocol::FlagSet ToFlagSet(const storage::FlagBits& bits, const storage::KeywordTable& keywords) {
  protocol::FlagSet flags;
  for (int i = 0; i < protocol::kSystemFlagCount; ++i)
    if (bits.Has(static_cast<protocol::SystemFlag>(i))) flags.Insert(static_cast<protocol::SystemFlag>(i));
  for (std::size_t i = 0; i < keywords.size(); ++i)
    if ((bits.keywords >> i) & 1U) flags.Insert(keywords[i]);
  return flags;
}

json::object ToJson(const StoredObject& stored, const cpm::ObjectView& view) {
  json::object out;
  out["folder"] = stored.folder;
  out["uid"] = stored.uid;
  out["kind"] = NameOf(view.what.kind);
  if (view.what.malformed) out["malformed"] = Utf8(view.what.fault);
  out["size"] = stored.size;
  const auto& date = view.head.date ? *view.head.date : stored.internal_date;
  out["date"] = Rfc3339(date);
  out["time"] = date.unix_seconds;
  out["internal_date"] = Rfc3339(stored.internal_date);
  PutHead(out, view);
  Put(out, "text", view.text.utf8);
  if (view.text.cut) out["text_cut"] = true;
  if (!view.files.empty()) {
    json::array files;
    for (const auto& file : view.files) files.push_back(ToJson(file));
    out["files"] = std::move(files);
  }
  if (view.imdn) out["imdn"] = ToJson(*view.imdn, view.head.from);
  if (view.session) out["session"] = ToJson(*view.session);
  if (view.group) out["group"] = ToJson(*view.group);
  json::array flags;
  for (int i = 0; i < protocol::kSystemFlagCount; ++i) {
    const auto flag = static_cast<protocol::SystemFlag>(i);
    if (stored.flags.Contains(flag)) flags.push_back(json::value(protocol::Name(flag)));
  }
  for (const auto& keyword : stored.flags.keywords()) flags.push_back(json::value(Utf8(keyword)));
  out["flags"] = std::move(flags);
  return out;
}

}  // namespace server::http
