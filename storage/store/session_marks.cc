#include "storage/store/session_marks.h"

#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "protocol/cpm/body.h"
#include "protocol/cpm/group_state.h"
#include "protocol/cpm/object_head.h"
#include "protocol/mime/parts.h"
#include "storage/store/annotation_edit.h"
#include "storage/store/body_source.h"
#include "storage/store/message_rows.h"

namespace storage {
namespace {

using kv::Table;
using protocol::ObjectKind;

constexpr std::int64_t kEarliest = std::numeric_limits<std::int64_t>::min();

bool IsSession(const schema::FolderRow& row) { return row.kind == static_cast<std::uint8_t>(FolderKind::kSession); }

/// The UID that the folder names now; zero if none.
Result<Uid> Marked(const AccountTxn& txn, FolderId folder, ServerAnnotation name) {
  ASSIGN_OR_RETURN(const auto value, GetServerAnnotation(txn, folder, name));
  Uid uid;
  // A Participating Function may have set something else.
  if (value) std::from_chars(value->data(), value->data() + value->size(), uid.value);
  return uid;
}

Result<> Mark(AccountTxn& txn, FolderId folder, ServerAnnotation name, Uid uid) {
  return SetServerAnnotation(txn, folder, name,
                             uid.value == 0 ? std::nullopt : std::optional(fmt::format("{}", uid.value)));
}

/// Milliseconds since 1970 of a group state's timestamp.
std::int64_t TimeOf(const AccountTxn& txn, const schema::StoredMessage& message) {
  const auto parts = protocol::mime::DecodeParts(message.parts);
  if (!parts || parts->empty()) return kEarliest;
  BodySource source(txn.account(), message.object, message.size,
                    [&txn](const std::string& key) { return txn.Get(Table::kBodies, key); });
  const auto xml = protocol::cpm::ReadXmlBody(parts->front(), source);
  if (!xml) return kEarliest;
  const auto state = protocol::cpm::ReadGroupState(*xml);
  if (!state) return kEarliest;
  return protocol::cpm::ParseIsoDateTime(state->timestamp).value_or(kEarliest);
}

/// The same of the message with this UID, which may be gone.
Result<std::int64_t> TimeOf(const AccountTxn& txn, FolderId folder, Uid uid) {
  ASSIGN_OR_RETURN(const auto value,
                   txn.Get(Table::kMessages, schema::MessageKey{txn.account(), folder, uid}.Encode()));
  if (!value) return kEarliest;
  ASSIGN_OR_RETURN(const auto row, schema::StoredMessage::Decode(*value));
  return TimeOf(txn, row);
}

/// Of the objects seen, in UID order, the ones to name.
struct Newest {
  Uid session_info;
  Uid group_state;
  std::int64_t group_state_time = kEarliest;

  void SeeGroupState(Uid uid, std::int64_t time) {
    if (group_state.value != 0 && time < group_state_time) return;
    group_state = uid;
    group_state_time = time;
  }
};

}  // namespace

Result<> MarkArrivals(AccountTxn& txn, const FolderEdit& edit, const std::vector<Arrival>& arrivals) {
  if (!IsSession(edit.row())) return {};
  Newest newest;
  for (const Arrival& arrival : arrivals) {
    if (arrival.kind == ObjectKind::kSessionInfo) newest.session_info = arrival.uid;
    if (arrival.kind != ObjectKind::kGroupState) continue;
    if (newest.group_state.value == 0) {
      ASSIGN_OR_RETURN(newest.group_state, Marked(txn, edit.id(), ServerAnnotation::kGroupState));
      if (newest.group_state.value != 0) {
        ASSIGN_OR_RETURN(newest.group_state_time, TimeOf(txn, edit.id(), newest.group_state));
      }
    }
    ASSIGN_OR_RETURN(const auto time, TimeOf(txn, edit.id(), arrival.uid));
    newest.SeeGroupState(arrival.uid, time);
  }
  if (newest.session_info.value != 0)
    RETURN_IF_ERROR(Mark(txn, edit.id(), ServerAnnotation::kSessionInfo, newest.session_info));
  if (newest.group_state.value != 0)
    RETURN_IF_ERROR(Mark(txn, edit.id(), ServerAnnotation::kGroupState, newest.group_state));
  return {};
}

Result<> MarkExpunged(AccountTxn& txn, FolderEdit& edit, const UidSet& gone) {
  if (!IsSession(edit.row())) return {};
  ASSIGN_OR_RETURN(const Uid session_info, Marked(txn, edit.id(), ServerAnnotation::kSessionInfo));
  ASSIGN_OR_RETURN(const Uid group_state, Marked(txn, edit.id(), ServerAnnotation::kGroupState));
  const bool lost_session_info = gone.Contains(session_info);
  const bool lost_group_state = gone.Contains(group_state);
  if (!lost_session_info && !lost_group_state) return {};

  UidSet left;
  RETURN_IF_ERROR(edit.ForEach(UidSet(Uid{1}, protocol::kMaxUid),
                               [&](Uid uid, const schema::StatePage::State&) { left.Add(uid); }));
  Newest newest;
  RETURN_IF_ERROR(
      ForEachMessage(txn, edit.id(), left, [&](Uid uid, const schema::StoredMessage& message) -> Result<> {
        if (message.object_kind == ObjectKind::kSessionInfo) newest.session_info = uid;
        if (message.object_kind == ObjectKind::kGroupState && lost_group_state)
          newest.SeeGroupState(uid, TimeOf(txn, message));
        return {};
      }));
  if (lost_session_info)
    RETURN_IF_ERROR(Mark(txn, edit.id(), ServerAnnotation::kSessionInfo, newest.session_info));
  if (lost_group_state)
    RETURN_IF_ERROR(Mark(txn, edit.id(), ServerAnnotation::kGroupState, newest.group_state));
  return {};
}

}  // namespace storage
