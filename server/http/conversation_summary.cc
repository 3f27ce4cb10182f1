#include "server/http/conversation_summary.h"

#include <algorithm>

#include <boost/json/array.hpp>

#include "protocol/cpm/address.h"
#include "protocol/cpm/body.h"
#include "protocol/cpm/limits.h"
#include "protocol/cpm/object_head.h"
#include "protocol/mime/parts.h"
#include "protocol/text/charset.h"
#include "server/http/object_json.h"
#include "storage/store/model_rules.h"

namespace server::http {
namespace {

/// Session info is among the first objects of a session folder.
constexpr std::size_t kLookForSubject = 8;

/// A folder's date of the last object, and the Subject that its first objects have.
struct Glance {
  std::optional<protocol::InternalDate> last;
  std::string subject;
};

std::string SubjectOf(const protocol::mime::Parts& parts, protocol::mime::Source& source) {
  const auto end = std::min<std::uint64_t>(parts[0].body_begin, protocol::cpm::kMaxViewHeader);
  const auto header = protocol::cpm::ReadOctets(source, 0, end);
  return header ? protocol::cpm::ReadObjectHead(*header).subject : std::string();
}

storage::Result<Glance> GlanceAt(storage::MailStore& store, storage::FolderRef folder, bool with_subject) {
  Glance out;
  const auto reader = store.Read(folder, storage::Actor({}, storage::Role::kOperator));
  if (!reader) return tl::unexpected(reader.error());
  const auto uids = reader->Uids();
  if (!uids) return tl::unexpected(uids.error());
  if (uids->empty()) return out;
  const auto last = uids->back();
  const auto note_last = [&](storage::Uid, const storage::MessageRow& row) {
    out.last = row.internal_date;
    return false;
  };
  if (auto done = reader->Rows(storage::UidSet(last, last), note_last); !done)
    return tl::unexpected(std::move(done).error());
  if (!with_subject) return out;

  std::size_t seen = 0;
  const auto look = [&](storage::Uid, const storage::MessageRow& row) {
    const auto parts = protocol::mime::DecodeParts(row.parts);
    if (parts) out.subject = SubjectOf(*parts, *reader->Body(row.object, row.size));
    return out.subject.empty() && ++seen < kLookForSubject;
  };
  if (auto done = reader->Rows(*uids, look); !done) return tl::unexpected(std::move(done).error());
  return out;
}

void Count(ConversationSummary& summary, const storage::FolderStatus& folder) {
  summary.objects += folder.messages;
  summary.unread += folder.unseen;
}

void NoteLast(ConversationSummary& summary, const std::optional<protocol::InternalDate>& last) {
  if (last && (!summary.last_activity || summary.last_activity->unix_seconds < last->unix_seconds))
    summary.last_activity = last;
}

}  // namespace

storage::Result<ConversationSummary> Summarize(storage::MailStore& store, storage::AccountId account,
                                               std::span<const storage::FolderEntry> names) {
  ConversationSummary out;
  auto folder = store.GetFolder({account, names.front().id});
  if (!folder) return tl::unexpected(std::move(folder).error());
  out.folder = *std::move(folder);
  const auto name = out.folder.path.substr(out.folder.path.rfind('/') + 1);
  // A conversation that was copied into a folder of the user's own is told by its name alone.
  const bool known =
      out.folder.kind == storage::FolderKind::kConversation && !out.folder.conversation_id.empty();
  out.group = known ? !storage::model::IsOneToOne(out.folder.conversation_id)
                    : protocol::cpm::Canonical(name) != name;
  if (!out.group) out.peer = known ? out.folder.conversation_id : name;
  Count(out, out.folder);
  const auto own = GlanceAt(store, out.folder.ref, false);
  if (!own) return tl::unexpected(own.error());
  NoteLast(out, own->last);

  std::optional<std::int64_t> subject_of;
  for (const auto& entry : names.subspan(1)) {
    if (!entry.path.starts_with(out.folder.path + "/")) break;
    if (entry.id.value == 0) continue;
    const auto session = store.GetFolder({account, entry.id});
    if (!session && session.error().code == storage::Errc::kNoSuchFolder) continue;  // deleted meanwhile
    if (!session) return tl::unexpected(session.error());
    const auto glance = GlanceAt(store, session->ref, true);
    if (!glance) return tl::unexpected(glance.error());
    Count(out, *session);
    NoteLast(out, glance->last);
    const auto at = glance->last ? glance->last->unix_seconds : 0;
    if (!glance->subject.empty() && (!subject_of || *subject_of < at)) {
      out.subject = protocol::text::ToUtf8(glance->subject, "utf-8").value_or(std::string());
      subject_of = at;
    }
    out.sessions.push_back(*session);
  }
  return out;
}

boost::json::object ToJson(const ConversationSummary& summary) {
  boost::json::object out;
  out["folder"] = summary.folder.path;
  out["folder_kind"] = NameOf(summary.folder.kind);
  out["kind"] = summary.group ? "group" : "one-to-one";
  if (!summary.peer.empty()) out["peer"] = summary.peer;
  if (!summary.subject.empty()) out["subject"] = summary.subject;
  if (!summary.folder.conversation_id.empty()) out["conversation_id"] = summary.folder.conversation_id;
  boost::json::array sessions;
  for (const auto& session : summary.sessions) sessions.push_back(boost::json::value(session.path));
  out["sessions"] = std::move(sessions);
  out["objects"] = summary.objects;
  out["unread"] = summary.unread;
  if (summary.last_activity) {
    out["last_activity"] = Rfc3339(*summary.last_activity);
    out["last_time"] = summary.last_activity->unix_seconds;
  }
  return out;
}

}  // namespace server::http
