#include "storage/store/session_marks.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include <fmt/format.h>

#include "protocol/model/mailbox_name.h"
#include "storage/store/annotation_edit.h"
#include "storage/store/message_rows.h"
#include "storage/store/session_objects.h"

namespace storage {
namespace {

using kv::Table;
using protocol::ObjectKind;

bool IsSession(const schema::FolderRow& row) {
  return row.kind == static_cast<std::uint8_t>(FolderKind::kSession);
}

bool IsMarked(const Arrival& arrival) {
  return arrival.kind == ObjectKind::kSessionInfo || arrival.kind == ObjectKind::kGroupState;
}

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

/// `visit` sees the message's row, whose views live for the call; it sees none if the message is gone.
Result<> VisitRow(const AccountTxn& txn, FolderId folder, Uid uid,
                  const std::function<void(const schema::StoredMessage&)>& visit) {
  ASSIGN_OR_RETURN(const auto value,
                   txn.Get(Table::kMessages, schema::MessageKey{txn.account(), folder, uid}.Encode()));
  if (!value) return {};
  ASSIGN_OR_RETURN(const auto row, schema::StoredMessage::Decode(*value));
  visit(row);
  return {};
}

Result<std::int64_t> TimeOf(const AccountTxn& txn, FolderId folder, Uid uid) {
  std::int64_t time = kEarliest;
  RETURN_IF_ERROR(VisitRow(txn, folder, uid,
                           [&](const schema::StoredMessage& row) { time = TimeOfGroupState(txn, row); }));
  return time;
}

/// The participants that this object tells of are those of its session, and of the conversation, whose latest
/// news it is.
Result<> TellParticipants(AccountTxn& txn, const FolderEdit& edit, Uid uid) {
  std::optional<std::string> participants;
  RETURN_IF_ERROR(VisitRow(txn, edit.id(), uid, [&](const schema::StoredMessage& row) {
    participants = ParticipantsOf(txn, row);
  }));
  if (!participants) return {};
  RETURN_IF_ERROR(SetServerAnnotation(txn, edit.id(), ServerAnnotation::kParticipants, participants));
  const schema::PathKey above{txn.account(), std::string(protocol::ParentName(edit.row().path))};
  ASSIGN_OR_RETURN(const auto value, txn.Get(Table::kFolderNames, above.Encode()));
  if (!value) return {};
  ASSIGN_OR_RETURN(const auto conversation, schema::FolderNameRow::Decode(*value));
  return SetServerAnnotation(txn, conversation.folder, ServerAnnotation::kParticipants, participants);
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
  if (!IsSession(edit.row()) || !std::ranges::any_of(arrivals, IsMarked)) return {};
  ASSIGN_OR_RETURN(const Uid before, Marked(txn, edit.id(), ServerAnnotation::kGroupState));
  Newest newest{.group_state = before};
  if (before.value != 0) {
    ASSIGN_OR_RETURN(newest.group_state_time, TimeOf(txn, edit.id(), before));
  }
  for (const Arrival& arrival : arrivals) {
    if (arrival.kind == ObjectKind::kSessionInfo) newest.session_info = arrival.uid;
    if (arrival.kind != ObjectKind::kGroupState) continue;
    ASSIGN_OR_RETURN(const auto time, TimeOf(txn, edit.id(), arrival.uid));
    newest.SeeGroupState(arrival.uid, time);
  }
  if (newest.session_info.value != 0)
    RETURN_IF_ERROR(Mark(txn, edit.id(), ServerAnnotation::kSessionInfo, newest.session_info));
  // At its end a session knows who was there, not only who was invited.
  if (newest.group_state == before)
    return before.value == 0 ? TellParticipants(txn, edit, newest.session_info) : Result<>{};
  RETURN_IF_ERROR(Mark(txn, edit.id(), ServerAnnotation::kGroupState, newest.group_state));
  return TellParticipants(txn, edit, newest.group_state);
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
          newest.SeeGroupState(uid, TimeOfGroupState(txn, message));
        return {};
      }));
  if (lost_session_info)
    RETURN_IF_ERROR(Mark(txn, edit.id(), ServerAnnotation::kSessionInfo, newest.session_info));
  if (lost_group_state)
    RETURN_IF_ERROR(Mark(txn, edit.id(), ServerAnnotation::kGroupState, newest.group_state));
  return {};
}

}  // namespace storage
