#include "tools/cms-admin/conversation_model.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "tools/cms-admin/json_fields.h"

namespace admin {
namespace {

namespace json = boost::json;
namespace cpm = protocol::cpm;
using cpm::Imdn;

template <class Number>
std::optional<Number> NumberIn(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (!value || !value->is_number()) return std::nullopt;
  boost::system::error_code error;
  const auto number = value->to_number<Number>(error);
  return error ? std::nullopt : std::optional(number);
}

/// Visits the objects of an array; what is none is passed over.
template <class Visit>
void ForEachObject(const json::object& object, std::string_view key, const Visit& visit) {
  const auto* list = object.if_contains(key);
  if (!list || !list->is_array()) return;
  for (const auto& entry : list->get_array())
    if (entry.is_object()) visit(entry.get_object());
}

std::vector<std::string> Texts(const json::object& object, std::string_view key) {
  std::vector<std::string> out;
  const auto* list = object.if_contains(key);
  if (!list || !list->is_array()) return out;
  for (const auto& entry : list->get_array())
    if (entry.is_string()) out.emplace_back(entry.get_string());
  return out;
}

constexpr std::array kStatuses = {
    Imdn::Status::kDelivered, Imdn::Status::kFailed,    Imdn::Status::kForbidden, Imdn::Status::kError,
    Imdn::Status::kDisplayed, Imdn::Status::kProcessed, Imdn::Status::kStored};

std::optional<Imdn::Status> StatusNamed(std::string_view name) {
  for (const auto status : kStatuses)
    if (cpm::ToString(status) == name) return status;
  return std::nullopt;
}

ConversationFile ReadFile(const json::object& in) {
  ConversationFile out;
  out.name = Text(in, "name");
  out.type = Text(in, "type");
  out.size = NumberIn<std::uint64_t>(in, "size");
  out.description = Text(in, "description");
  out.url = Text(in, "url");
  out.until = Text(in, "until");
  out.thumbnail = IsTrue(in, "thumbnail");
  out.stored = IsTrue(in, "stored");
  return out;
}

cpm::ConversationItem ReadItem(const json::object& in) {
  cpm::ConversationItem out;
  out.time = NumberIn<std::int64_t>(in, "time").value_or(0);
  const auto direction = Text(in, "direction");
  if (direction == "sent") out.direction = cpm::Direction::kSent;
  if (direction == "received") out.direction = cpm::Direction::kReceived;
  out.contribution_id = Text(in, "contribution_id");
  out.in_reply_to_contribution_id = Text(in, "in_reply_to_contribution_id");
  out.imdn_message_id = Text(in, "imdn_message_id");
  if (const auto* imdn = in.if_contains("imdn"); imdn && imdn->is_object()) {
    const auto& notice = imdn->get_object();
    if (const auto status = StatusNamed(Text(notice, "status")))
      out.notice = cpm::ConversationItem::Notice{Text(notice, "message_id"), *status, Text(notice, "by")};
  }
  return out;
}

ConversationObject ReadObject(const json::object& in, std::string_view account) {
  ConversationObject out;
  out.folder = Text(in, "folder");
  out.uid = NumberIn<std::uint32_t>(in, "uid").value_or(0);
  out.kind = Text(in, "kind");
  out.malformed = Text(in, "malformed");
  out.item = ReadItem(in);
  out.time = out.item.time;
  out.from = Text(in, "from");
  // A stand-alone medium says nothing of its direction.
  out.sent = out.item.direction ? *out.item.direction == cpm::Direction::kSent : out.from == account;
  out.from_name = Text(in, "from_name");
  out.subject = Text(in, "subject");
  out.text = Text(in, "text");
  out.text_cut = IsTrue(in, "text_cut");
  ForEachObject(in, "files", [&](const json::object& file) { out.files.push_back(ReadFile(file)); });
  if (const auto* session = in.if_contains("session"); session && session->is_object()) {
    out.session_type = Text(session->get_object(), "type");
    out.participants = Texts(session->get_object(), "participants");
  }
  if (const auto* group = in.if_contains("group"); group && group->is_object()) {
    out.group_type = Text(group->get_object(), "type");
    ForEachObject(group->get_object(), "participants", [&](const json::object& one) {
      out.members.emplace_back(Text(one, "address"), Text(one, "name"));
    });
  }
  out.flags = Texts(in, "flags");
  return out;
}

/// Names that participants have: those of group states before those of senders, later ones before earlier
/// ones.
void CollectNames(Conversation& conversation) {
  std::vector<const ConversationObject*> by_time;
  for (const auto& object : conversation.objects) by_time.push_back(&object);
  std::ranges::sort(by_time, {}, [](const auto* object) { return std::pair(object->time, object); });
  for (const auto* object : by_time)
    if (!object->from_name.empty() && !object->from.empty())
      conversation.names[object->from] = object->from_name;
  for (const auto* object : by_time)
    for (const auto& [address, name] : object->members)
      if (!name.empty()) conversation.names[address] = name;
}

std::tm LocalTime(std::int64_t time) {
  const auto seconds = static_cast<std::time_t>(time);
  std::tm out{};
  ::localtime_r(&seconds, &out);
  return out;
}

std::string Format(std::int64_t time, const char* format) {
  const auto local = LocalTime(time);
  std::array<char, 64> space{};
  return {space.data(), std::strftime(space.data(), space.size(), format, &local)};
}

}  // namespace

bool ConversationObject::Has(std::string_view flag) const {
  return std::ranges::find(flags, flag) != flags.end();
}

std::string ConversationHead::Title() const {
  if (!subject.empty() && group) return subject;
  if (!peer.empty()) return peer;
  return folder.substr(folder.rfind('/') + 1);
}

std::string Conversation::NameOf(std::string_view address) const {
  if (address == account) return "me";
  const auto found = names.find(address);
  return found == names.end() ? std::string(address) : found->second;
}

std::string Conversation::SenderOf(const ConversationObject& object) const {
  if (object.sent) return "me";
  return object.from.empty() ? std::string("unknown") : NameOf(object.from);
}

std::vector<std::pair<std::string, std::string>> Conversation::Others() const {
  std::map<std::string, std::string> found;
  const auto add = [&](const std::string& address) {
    if (address.empty() || address == account || address.find("anonymous.invalid") != std::string::npos)
      return;
    const auto name = names.find(address);
    found[address] = name == names.end() ? std::string() : name->second;
  };
  for (const auto& object : objects) {
    if (!object.sent && object.IsMessage()) add(object.from);
    for (const auto& address : object.participants) add(address);
    for (const auto& [address, name] : object.members) add(address);
  }
  return {found.begin(), found.end()};
}

ConversationHead ReadConversationHead(const json::object& in) {
  ConversationHead out;
  out.folder = Text(in, "folder");
  out.group = Text(in, "kind") == "group";
  if (const auto kind = Text(in, "folder_kind"); !kind.empty()) out.conversation = kind == "conversation";
  out.peer = Text(in, "peer");
  out.subject = Text(in, "subject");
  out.objects = NumberIn<std::uint64_t>(in, "objects").value_or(0);
  out.unread = NumberIn<std::uint64_t>(in, "unread").value_or(0);
  out.last_time = NumberIn<std::int64_t>(in, "last_time");
  return out;
}

Conversation ReadConversation(const json::object& in) {
  Conversation out;
  out.account = Text(in, "account");
  if (const auto* head = in.if_contains("conversation"); head && head->is_object())
    out.head = ReadConversationHead(head->get_object());
  ForEachObject(in, "objects",
                [&](const json::object& one) { out.objects.push_back(ReadObject(one, out.account)); });

  std::vector<cpm::ConversationItem> items;
  for (const auto& object : out.objects) items.push_back(object.item);
  out.threads = cpm::ThreadsOf(items);
  out.receipts_.assign(items.size(), false);
  auto receipts = cpm::ReceiptsOf(items);
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (const auto& receipt : receipts[i]) out.receipts_[receipt.notice] = true;
    out.objects[i].receipts = std::move(receipts[i]);
  }
  CollectNames(out);
  return out;
}

json::object Explained(json::object in, const Conversation& conversation) {
  if (auto* list = in.if_contains("objects"); list && list->is_array()) {
    std::size_t i = 0;
    for (auto& entry : list->get_array()) {
      if (!entry.is_object()) continue;
      const auto& object = conversation.objects.at(i++);
      if (!object.IsMessage()) continue;
      json::array receipts;
      for (const auto& receipt : object.receipts)
        receipts.push_back(json::object{
            {"by", receipt.by}, {"status", cpm::ToString(receipt.status)}, {"time", receipt.time}});
      entry.get_object()["state"] = StateOf(object);
      entry.get_object()["receipts"] = std::move(receipts);
    }
  }
  json::array threads;
  for (const auto& thread : conversation.threads) {
    json::object one;
    one["contribution_id"] = thread.contribution_id;
    if (thread.parent) one["reply_to"] = *thread.parent;
    one["objects"] = json::array(thread.items.begin(), thread.items.end());
    threads.push_back(std::move(one));
  }
  in["threads"] = std::move(threads);
  return in;
}

std::string_view StateOf(const ConversationObject& object) {
  switch (cpm::ReachedBy(object.receipts)) {
    case cpm::Reached::kDisplayed: return "read";
    case cpm::Reached::kDelivered: return "delivered";
    case cpm::Reached::kFailed: return "failed";
    case cpm::Reached::kUnknown: break;
  }
  if (object.sent) return "sent";
  return object.IsUnread() ? "unread" : "received";
}

std::string MinuteOf(std::int64_t time) { return Format(time, "%Y-%m-%d %H:%M"); }
std::string ClockOf(std::int64_t time) { return Format(time, "%H:%M"); }
std::string DayOf(std::int64_t time) { return Format(time, "%Y-%m-%d"); }
std::string ZoneName(std::int64_t time) { return Format(time, "%Z"); }

std::string SizeText(std::uint64_t octets) {
  if (octets < 1024) return fmt::format("{} B", octets);
  constexpr std::array kUnits = {"KiB", "MiB", "GiB"};
  auto size = static_cast<double>(octets) / 1024;
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < kUnits.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", size, kUnits.at(unit));
}

}  // namespace admin
