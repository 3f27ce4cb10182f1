#include "storage/store/event_object.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include <fmt/format.h>

#include "protocol/cpm/limits.h"
#include "protocol/text/base64_lines.h"
#include "storage/store/staged_source.h"

namespace storage {

namespace cpm = protocol::cpm;
using cpm::Content;
using protocol::ObjectKind;

namespace {

// Octets of a file that are in memory at a time; whole lines of base64.
constexpr std::size_t kFilePiece = 57 * 1024;

template <class Body>
constexpr bool IsWrittenAround =
    std::is_same_v<Body, cpm::FileTransferObject> || std::is_same_v<Body, cpm::MediaObject>;

/// Calls `visit` with each content.
template <class AnyEvent, class Visit>
void ForEachContent(AnyEvent& event, const Visit& visit) {
  std::visit(
      [&visit](auto& body) {
        if constexpr (requires { body.content; }) visit(body.content);
        if constexpr (requires { body.contents; }) {
          for (auto& content : body.contents) visit(content);
        }
      },
      event.what);
}

tl::unexpected<Error> Missing(std::string_view field, std::string_view why) {
  return Fail(Errc::kInvalidArgument, fmt::format("{} is missing: {}", field, why));
}

tl::unexpected<Error> Faulty(const cpm::Fault& fault) {
  return Fail(Errc::kInvalidArgument, fmt::format("The object cannot be written: {}", fault.text));
}

bool IsLegacy(ObjectKind kind) { return kind == ObjectKind::kSms || kind == ObjectKind::kMms; }

/// Identified by its own id, not by that of what it belongs to.
bool HasImdnId(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kChatMessage:
    case ObjectKind::kStandaloneMessage:
    case ObjectKind::kImdn:
    case ObjectKind::kFileTransferOverHttp:
    case ObjectKind::kMedia: return true;
    case ObjectKind::kUnclassified:
    case ObjectKind::kSms:
    case ObjectKind::kMms:
    case ObjectKind::kFileTransfer:
    case ObjectKind::kSessionInfo:
    case ObjectKind::kGroupState: break;
  }
  return false;
}

Result<> CheckIds(const Event& event) {
  const auto& head = event.head;
  const ObjectKind kind = KindOf(event);
  const bool legacy = IsLegacy(kind);
  if (event.group || !(legacy || kind == ObjectKind::kMedia)) {
    if (head.conversation_id.empty()) return Missing("conversation_id", "it names the conversation");
  }
  if (event.in_session || !(legacy || kind == ObjectKind::kMedia)) {
    if (head.contribution_id.empty()) return Missing("contribution_id", "it names the session or message");
  }
  if (HasImdnId(kind) && head.imdn_message_id.empty())
    return Missing("imdn_message_id", "by it the message is known when it is recorded twice");
  if (kind == ObjectKind::kMms && head.imdn_message_id.empty() && head.correlator.empty())
    return Missing("correlator", "it is the MMS Message-ID, by which the message is known");
  const auto ids = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"conversation_id", head.conversation_id},
       {"contribution_id", head.contribution_id},
       {"in_reply_to_contribution_id", head.in_reply_to_contribution_id},
       {"imdn_message_id", head.imdn_message_id}});
  for (const auto& [name, value] : ids) {
    if (value.size() > cpm::kMaxId) {
      return Fail(Errc::kInvalidArgument,
                  fmt::format("{} has {} octets; at most {} are taken", name, value.size(), cpm::kMaxId));
    }
  }
  return {};
}

/// Of two group states, or receipts, the later one counts: what is no time says nothing.
Result<> CheckTimes(const Event& event) {
  const auto check = [](std::string_view name, std::string_view text) -> Result<> {
    if (text.empty() || cpm::ParseIsoDateTime(text)) return {};
    return Fail(Errc::kInvalidArgument,
                fmt::format("{} is no time such as 2016-03-02T09:15:01Z (RFC 3339)", name));
  };
  if (const auto* state = std::get_if<cpm::GroupStateObject>(&event.what))
    return check("group_state.timestamp", state->state.timestamp);
  if (const auto* imdn = std::get_if<cpm::ImdnMessage>(&event.what))
    return check("imdn.date_time", imdn->imdn.date_time);
  return {};
}

Result<std::string> ReadFile(const StagedBody& file, kv::Engine& engine) {
  StagedSource source(file, engine);
  std::string out(file.size(), '\0');
  for (std::size_t at = 0; at < out.size();) {
    const auto got = source.Read(at, std::span(out).subspan(at));
    if (got <= 0) return Fail(Errc::kUnavailable, "the octets of a file cannot be read back");
    at += static_cast<std::size_t>(got);
  }
  return out;
}

/// The octets of `file` as lines of base64, into `out`.
Result<> WriteFile(const StagedBody& file, kv::Engine& engine, StagedBody& out) {
  StagedSource source(file, engine);
  protocol::text::Base64Lines lines;
  std::string piece(kFilePiece, '\0');
  std::string encoded;
  for (std::uint64_t at = 0; at < file.size();) {
    const auto got = source.Read(at, piece);
    if (got <= 0) return Fail(Errc::kUnavailable, "the octets of a file cannot be read back");
    encoded.clear();
    lines.Add(encoded, std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
    RETURN_IF_ERROR(out.Write(encoded));
    at += static_cast<std::uint64_t>(got);
  }
  encoded.clear();
  lines.End(encoded);
  return out.Write(encoded);
}

/// "text/plain" of "text/plain; charset=utf-8".
std::string TypeOf(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  return std::string(type.substr(0, type.find_last_not_of(" \t") + 1));
}

/// What can be told from the files themselves.
template <class Body>
void Describe(Body& /*body*/, const std::vector<StagedBody>& /*files*/) {}

void Describe(cpm::FileTransferObject& body, const std::vector<StagedBody>& files) {
  for (auto& file : body.transfer.files) {
    for (std::size_t i = 0; i < body.contents.size(); ++i) {
      const Content& content = body.contents[i];
      if (content.id != file.cid) continue;
      if (file.sdp.name.empty()) file.sdp.name = content.file_name;
      // Its parameters have no place in a file-selector that readers would agree on.
      if (file.sdp.type.empty()) file.sdp.type = TypeOf(content.type);
      if (!file.sdp.size) file.sdp.size = files.empty() ? content.octets.size() : files[i].size();
    }
  }
}

/// Writes one event into one body.
class Writing {
 public:
  Writing(MailStore::Core& core, Event& event, StagedBody& out)
      : engine_(core.engine), layout_(core.options.profile.object_layout), event_(event), out_(out) {}

  template <class Body>
  Result<> operator()(Body& body) {
    Describe(body, event_.files);
    if constexpr (IsWrittenAround<Body>) {
      if (!event_.files.empty()) return Around(body);
    }
    RETURN_IF_ERROR(LoadFiles());
    const auto object = cpm::WriteObject(event_.head, body, layout_);
    if (!object) return Faulty(object.error());
    return out_.Write(*object);
  }

 private:
  template <class Body>
  Result<> Around(const Body& body) {
    const auto pieces = cpm::WriteAround(event_.head, body, layout_);
    if (!pieces) return Faulty(pieces.error());
    RETURN_IF_ERROR(out_.Write(pieces->front()));
    for (std::size_t i = 0; i < event_.files.size(); ++i) {
      RETURN_IF_ERROR(WriteFile(event_.files[i], engine_, out_));
      RETURN_IF_ERROR(out_.Write((*pieces)[i + 1]));
    }
    return {};
  }

  Result<> LoadFiles() {
    std::uint64_t octets = 0;
    for (const StagedBody& file : event_.files) octets += file.size();
    if (octets > kMaxEventContents) {
      return Fail(Errc::kTooBig, fmt::format("A message holds at most {} octets with its attachments; record "
                                             "what is larger as a file transfer",
                                             kMaxEventContents));
    }
    const auto contents = ContentsOf(event_);
    for (std::size_t i = 0; i < event_.files.size(); ++i) {
      ASSIGN_OR_RETURN(contents[i]->octets, ReadFile(event_.files[i], engine_));
    }
    return {};
  }

  kv::Engine& engine_;
  const cpm::Layout layout_;
  Event& event_;
  StagedBody& out_;
};

/// The date of the header is that of the group state, and the other way round.
void CompleteDate(Event& event, std::int64_t now) {
  auto* state = std::get_if<cpm::GroupStateObject>(&event.what);
  if (!event.head.date && state != nullptr) {
    if (const auto time = cpm::ParseIsoDateTime(state->state.timestamp))
      event.head.date = protocol::InternalDate{*time / 1000, 0};
  }
  if (!event.head.date) event.head.date = protocol::InternalDate{now, 0};
  if (state != nullptr && state->state.timestamp.empty())
    state->state.timestamp = cpm::FormatIsoDateTime(*event.head.date);
}

/// The addresses, the dates and the Message-ID that the event does not have.
Result<> Complete(MailStore& store, MailStore::Core& core, AccountId account, ObjectId object, Event& event) {
  cpm::ObjectHead& head = event.head;
  const bool sent = head.direction == cpm::Direction::kSent;
  std::string& own = sent ? head.from : head.to;
  if (own.empty()) {
    ASSIGN_OR_RETURN(const auto info, store.GetAccount(account));
    own = info.address;
  }
  CompleteDate(event, core.Now());
  // No host name is known here; the numbers are the store's and given out once.
  if (head.message_id.empty())
    head.message_id = fmt::format("<{}.{}@cms.invalid>", account.value, object.value);
  return {};
}

}  // namespace

ObjectKind KindOf(const Event& event) {
  // In the order of Event::What.
  constexpr std::array kKinds{ObjectKind::kChatMessage, ObjectKind::kStandaloneMessage,
                              ObjectKind::kImdn,        ObjectKind::kSms,
                              ObjectKind::kMms,         ObjectKind::kFileTransferOverHttp,
                              ObjectKind::kSessionInfo, ObjectKind::kFileTransfer,
                              ObjectKind::kGroupState,  ObjectKind::kMedia};
  static_assert(kKinds.size() == std::variant_size_v<Event::What>);
  return kKinds[event.what.index()];
}

std::vector<Content*> ContentsOf(Event& event) {
  std::vector<Content*> out;
  ForEachContent(event, [&](Content& content) { out.push_back(&content); });
  return out;
}

Result<> CheckEvent(const Event& event) {
  const auto& head = event.head;
  if (!head.direction) return Missing("direction", "\"sent\" or \"received\", as the owner sees it");
  const bool sent = head.direction == cpm::Direction::kSent;
  if (!sent && head.from.empty()) return Missing("from", "a received event has a sender");
  if (sent && head.to.empty() && !event.group) return Missing("to", "an event that was sent has a receiver");
  RETURN_IF_ERROR(CheckIds(event));
  RETURN_IF_ERROR(CheckTimes(event));
  std::size_t contents = 0;
  ForEachContent(event, [&](const Content&) { ++contents; });
  if (!event.files.empty() && event.files.size() != contents) {
    return Fail(Errc::kInvalidArgument, fmt::format("The event describes {} contents and comes with {} files",
                                                    contents, event.files.size()));
  }
  return {};
}

Result<NewMessage> WriteEvent(MailStore& store, MailStore::Core& core, AccountId account, Event& event) {
  ASSIGN_OR_RETURN(auto body, store.Stage(account));
  RETURN_IF_ERROR(Complete(store, core, account, body.object(), event));
  RETURN_IF_ERROR(std::visit(Writing(core, event, body), event.what));
  return NewMessage{.body = std::move(body),
                    .flags = event.flags,
                    .internal_date = event.head.date,
                    .expiry = event.expiry};
}

}  // namespace storage
