#include "server/http/event_json.h"

#include <algorithm>
#include <array>
#include <limits>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "server/http/json_fields.h"

namespace server::http {
namespace {

namespace cpm = protocol::cpm;
using boost::json::object;

constexpr std::size_t kMaxFlags = 128;

/// RFC 3339 with the zone it was written in.
std::optional<protocol::InternalDate> ReadDate(std::string_view text) {
  const auto milliseconds = cpm::ParseIsoDateTime(text);
  if (!milliseconds) return std::nullopt;
  protocol::InternalDate date{*milliseconds / 1000, 0};
  // "+hh:mm" at the end, which has been looked at
  if (const auto sign = text.find_last_of("+-");
      sign != std::string_view::npos && sign + 6 == text.size() && sign > 10) {
    const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
    const int minutes = two(sign + 1) * 60 + two(sign + 4);
    date.zone_minutes = static_cast<std::int16_t>(text[sign] == '-' ? -minutes : minutes);
  }
  return date;
}

void ReadHead(Fields& in, cpm::ObjectHead& head) {
  std::string direction;
  in.Text("direction", direction);
  if (direction == "sent") head.direction = cpm::Direction::kSent;
  if (direction == "received") head.direction = cpm::Direction::kReceived;
  if (!direction.empty() && !head.direction) in.Wrong("direction", "must be \"sent\" or \"received\"");
  std::string date;
  in.Text("date", date);
  if (!date.empty() && !(head.date = ReadDate(date)))
    in.Wrong("date", "must be a time as RFC 3339 has it: \"2016-03-02T10:15:01+01:00\"");
  in.Text("from", head.from);
  in.Text("to", head.to);
  in.Text("subject", head.subject);
  in.Text("message_id", head.message_id);
  in.Text("conversation_id", head.conversation_id);
  in.Text("contribution_id", head.contribution_id);
  in.Text("in_reply_to_contribution_id", head.in_reply_to_contribution_id);
  in.Text("imdn_message_id", head.imdn_message_id);
  in.Text("correlator", head.correlator);
  in.Text("asserted_service", head.asserted_service);
}

/// "expires": a time, or seconds since 1970.
void ReadExpiry(Fields& in, std::int64_t& expiry) {
  const auto* value = in.Take("expires");
  if (value == nullptr) return;
  if (value->is_int64() && value->get_int64() > 0) {
    expiry = value->get_int64();
    return;
  }
  const auto date = value->is_string() ? ReadDate(value->get_string()) : std::nullopt;
  if (!date || date->unix_seconds <= 0) {
    in.Wrong("expires", "must be a time as RFC 3339 has it, or seconds since 1970");
    return;
  }
  expiry = date->unix_seconds;
}

void ReadFlags(Fields& in, protocol::FlagSet& flags) {
  std::vector<std::string> names;
  in.Texts("flags", names, kMaxFlags);
  for (const auto& name : names) {
    if (!IsFlagName(name)) return in.Wrong("flags", "must be flags and keywords of IMAP");
    flags.Insert(std::string_view(name));
  }
}

/// What reads the keys that only some kinds of event have.
class Kind {
 public:
  Kind(Fields& in, EventRequest& out) : in_(in), out_(out) {}

  void Chat() {
    cpm::ChatMessage body;
    std::vector<cpm::Content> contents;
    ReadContents(contents);
    if (contents.size() > 1) in_.Wrong("contents", "are more than a chat message has: one");
    if (contents.empty()) in_.Wrong("text", "is missing: a chat message has that, or one of \"contents\"");
    if (!contents.empty()) body.content = std::move(contents.front());
    in_.Text("notify", body.notify);
    out_.event.what = std::move(body);
    out_.event.in_session = true;
  }
  void Standalone() {
    cpm::StandaloneMessage body;
    ReadContents(body.contents);
    in_.Text("notify", body.notify);
    out_.event.what = std::move(body);
  }
  void Imdn() {
    cpm::ImdnMessage body;
    in_.Object("imdn", [&](Fields& imdn) {
      imdn.Text("message_id", body.imdn.message_id);
      imdn.Text("date_time", body.imdn.date_time);
      imdn.Text("recipient", body.imdn.recipient_uri);
      imdn.Text("original_recipient", body.imdn.original_recipient_uri);
      imdn.Text("subject", body.imdn.subject);
      ReadStatus(imdn, body.imdn);
    });
    out_.event.what = std::move(body);
  }
  void Sms() {
    cpm::SmsMessage body;
    if (in_.Take("text") == nullptr) in_.Wrong("text", "is missing");
    in_.Text("text", body.text);
    out_.event.what = std::move(body);
  }
  void Mms() {
    cpm::MmsMessage body;
    ReadContents(body.contents);
    out_.event.what = std::move(body);
  }
  void HttpFile() {
    cpm::HttpFileMessage body;
    in_.Objects("files", kMaxHttpFiles, [&](Fields& file) {
      auto& info = body.file.infos.emplace_back();
      info.type = "file";
      file.Text("type", info.type);
      file.Number("size", info.size);
      file.Text("name", info.name);
      file.Text("content_type", info.content_type);
      file.Text("url", info.url);
      file.Text("until", info.until);
    });
    in_.Text("notify", body.notify);
    out_.event.what = std::move(body);
  }
  void SessionStart() {
    cpm::SessionInfoObject body;
    body.info.type = out_.event.group ? "Ad-Hoc" : "1-1";
    in_.Text("session_type", body.info.type);
    in_.Texts("participants", body.info.participants, kMaxParticipants);
    in_.Text("sdp", body.info.sdp);
    ReadContents(body.contents);
    NameContents(body.contents);
    for (const auto& content : body.contents) body.info.media.push_back({.cid = content.id});
    out_.event.what = std::move(body);
  }
  void FileTransfer() {
    cpm::FileTransferObject body;
    body.transfer.type = out_.event.group ? "Ad-Hoc" : "1-1";
    in_.Text("session_type", body.transfer.type);
    in_.Texts("participants", body.transfer.participants, kMaxParticipants);
    ReadContents(body.contents);
    NameContents(body.contents);
    for (const auto& content : body.contents) {
      body.transfer.files.push_back({.cid = content.id,
                                     .sdp = {.information = content.description,
                                             .direction = "sendonly",
                                             .disposition = content.disposition}});
    }
    out_.event.what = std::move(body);
  }
  void SessionEnd() {
    cpm::GroupStateObject body;
    body.state.group_type = "Closed";
    body.state.contribution_id = out_.event.head.contribution_id;
    in_.Object("group_state", [&](Fields& state) {
      state.Text("timestamp", body.state.timestamp);
      state.Text("last_focus_session_id", body.state.last_focus_session_id);
      state.Text("group_type", body.state.group_type);
      state.Text("subject", body.state.subject);
      state.Objects("participants", kMaxParticipants, [&](Fields& one) {
        auto& participant = body.state.participants.emplace_back();
        one.Text("name", participant.name);
        one.Text("address", participant.address);
        one.Text("role", participant.role);
      });
    });
    out_.event.what = std::move(body);
  }
  void Media() {
    cpm::MediaObject body;
    std::vector<cpm::Content> contents;
    ReadContents(contents);
    if (contents.size() != 1) return in_.Wrong("contents", "must be one");
    body.content = std::move(contents.front());
    out_.event.what = std::move(body);
  }

 private:
  static constexpr std::size_t kMaxContents = 100;
  static constexpr std::size_t kMaxParticipants = 1000;
  static constexpr std::size_t kMaxHttpFiles = 10;

  /// "text", or "contents".
  void ReadContents(std::vector<cpm::Content>& out) {
    if (const auto* text = in_.Take("text")) {
      if (!text->is_string()) return in_.Wrong("text", "must be a text");
      out.push_back({.octets = std::string(text->get_string())});
      out_.awaits_file.push_back(false);
      if (in_.Take("contents") != nullptr) in_.Wrong("contents", "are not for an event with \"text\"");
      return;
    }
    in_.Objects("contents", kMaxContents, [&](Fields& one) {
      auto& content = out.emplace_back();
      one.Text("type", content.type);
      one.Text("id", content.id);
      one.Text("name", content.file_name);
      one.Text("disposition", content.disposition);
      one.Text("description", content.description);
      const bool has_text = one.Take("text") != nullptr;
      one.Text("text", content.octets);
      out_.awaits_file.push_back(!has_text);
    });
  }

  /// Those that have no Content-ID get one: the description refers to them by it.
  void NameContents(std::vector<cpm::Content>& contents) const {
    for (std::size_t i = 0; i < contents.size(); ++i)
      if (contents[i].id.empty()) contents[i].id = fmt::format("{}@cms.invalid", i + 1);
  }

  static void ReadStatus(Fields& in, cpm::Imdn& imdn) {
    using Status = cpm::Imdn::Status;
    using Type = cpm::Imdn::Type;
    std::string type = "delivery";
    std::string status;
    in.Text("type", type);
    in.Text("status", status);
    for (const auto known : {Type::kDelivery, Type::kDisplay, Type::kProcessing}) {
      for (const auto value : {Status::kDelivered, Status::kFailed, Status::kForbidden, Status::kError,
                               Status::kDisplayed, Status::kProcessed, Status::kStored}) {
        if (ToString(known) != type || ToString(value) != status || !Fits(known, value)) continue;
        imdn.type = known;
        imdn.status = value;
        return;
      }
    }
    in.Wrong("status",
             "is none of those that \"type\" (delivery, display, processing) has: \"delivered\", say");
  }

  Fields& in_;
  EventRequest& out_;
};

constexpr std::array<std::pair<std::string_view, void (Kind::*)()>, 10> kKinds{
    {{"chat", &Kind::Chat},
     {"standalone", &Kind::Standalone},
     {"imdn", &Kind::Imdn},
     {"sms", &Kind::Sms},
     {"mms", &Kind::Mms},
     {"file-http", &Kind::HttpFile},
     {"session-start", &Kind::SessionStart},
     {"file-transfer", &Kind::FileTransfer},
     {"session-end", &Kind::SessionEnd},
     {"media", &Kind::Media}}};

}  // namespace

std::size_t EventRequest::files() const {
  return static_cast<std::size_t>(std::ranges::count(awaits_file, true));
}

std::variant<EventRequest, Refusal> ReadEvent(const boost::json::object& json) {
  EventRequest out;
  Fields in(json);
  std::string type;
  in.Text("event", type);
  const auto kind = std::ranges::find(kKinds, std::string_view(type), &decltype(kKinds)::value_type::first);
  if (kind == kKinds.end()) {
    std::string known;
    for (const auto& [name, ignored] : kKinds) known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
    in.Wrong("event", fmt::format("must be one of {}", known));
    return in.refusal();
  }
  ReadHead(in, out.event.head);
  in.Text("peer", out.event.peer);
  in.Bool("group", out.event.group);
  Kind reader(in, out);
  (reader.*kind->second)();
  in.Bool("in_session", out.event.in_session);
  ReadExpiry(in, out.event.expiry);
  ReadFlags(in, out.event.flags);
  in.Finish();
  if (in.wrong()) return in.refusal();
  return out;
}

}  // namespace server::http
