// COPY and MOVE into another account (design.md 5): the octets are copied, and become messages there in one
// change, as if appended. Nothing is there before it, and all of it after.
#include "storage/store/core.h"
#include "storage/store/deferred.h"
#include "storage/store/model_rules.h"
#include "storage/store/rights.h"

namespace storage {
namespace {

using protocol::FlagSet;

constexpr std::uint64_t kMostMessages = 1000;   // of one commit (as many as of a MULTIAPPEND)
constexpr std::size_t kHeldAtMost = 4U << 20U;  // octets of short messages that wait in memory

struct Source {
  Uid uid;
  ObjectId object;
  std::uint64_t size = 0;
  protocol::InternalDate date;
  FlagSet flags;
};

FlagSet NamesOf(const FlagBits& bits, const KeywordTable& keywords) {
  FlagSet flags;
  for (int i = 0; i < protocol::kSystemFlagCount; ++i) {
    const auto flag = static_cast<protocol::SystemFlag>(i);
    if (bits.Has(flag)) flags.Insert(flag);
  }
  for (std::size_t i = 0; i < keywords.size(); ++i) {
    if ((bits.keywords >> i & 1) != 0) flags.Insert(std::string_view(keywords[i]));
  }
  return flags;
}

Result<std::vector<Source>> ReadSources(const FolderReader& reader, const UidSet& uids) {
  std::vector<Source> sources;
  RETURN_IF_ERROR(reader.States(uids, [&](const MessageState& state) {
    sources.push_back({.uid = state.uid, .object = {}, .flags = NamesOf(state.flags, *reader.keywords())});
  }));
  if (sources.size() > kMostMessages) {
    return Fail(Errc::kLimit, "Into another user's account at most 1000 messages are copied at once");
  }
  auto at = sources.begin();
  RETURN_IF_ERROR(reader.Rows(uids, [&](Uid uid, const MessageRow& row) {
    if (at == sources.end() || at->uid != uid) return false;
    at->object = row.object;
    at->size = row.size;
    at->date = row.internal_date;
    ++at;
    return true;
  }));
  if (at != sources.end()) return Fail(Errc::kCorruption, "a message has no row");
  return sources;
}

}  // namespace

Result<CopyResult> MailStore::CopyAcross(FolderRef from, const UidSet& uids, const Actor& actor, AccountId to,
                                         std::string_view path, const Actor& there) {
  RETURN_IF_ERROR(GetFolder(to, path, there, Right::kInsert));
  CopyResult out;
  std::vector<NewMessage> messages;
  {
    ASSIGN_OR_RETURN(const auto reader, Read(from, actor));
    ASSIGN_OR_RETURN(const auto sources, ReadSources(reader, uids));
    if (sources.empty()) return out;
    std::uint64_t octets = 0;
    for (const Source& source : sources) octets += source.size;
    RETURN_IF_ERROR(CheckRoom(to, octets, sources.size()));
    std::size_t held = 0;
    for (const Source& source : sources) {
      ASSIGN_OR_RETURN(auto body, Stage(to));
      for (std::uint64_t offset = 0; offset < source.size; offset += StagedBody::kChunk) {
        ASSIGN_OR_RETURN(const std::string chunk, reader.Octets(source.object, offset, StagedBody::kChunk));
        RETURN_IF_ERROR(body.Write(chunk));
      }
      if (held + body.in_memory() > kHeldAtMost) RETURN_IF_ERROR(body.Seal());
      held += body.in_memory();
      out.source.Add(source.uid);
      messages.push_back({std::move(body), source.flags, source.date});
    }
  }
  // Who gives a message away has accessed it (spec note 6).
  RETURN_IF_ERROR(NoteAccess(from, out.source, actor));
  ASSIGN_OR_RETURN(const auto appended, Append(to, path, std::move(messages), there));
  out.uid_validity = appended.uid_validity;
  out.target = appended.uids;
  return out;
}

Result<CopyResult> MailStore::MoveAcross(FolderRef from, const UidSet& uids, const Actor& actor, AccountId to,
                                         std::string_view path, const Actor& there) {
  {
    ASSIGN_OR_RETURN(const auto reader, Read(from, actor));
    RETURN_IF_ERROR(Demand(reader.rights(), Right::kDeleteMessages | Right::kExpunge));
    RETURN_IF_ERROR(model::MayMove(protocol::ObjectKind::kUnclassified, reader.status().kind, model::Place{},
                                   {actor.role, core_->options.profile}));
  }
  ASSIGN_OR_RETURN(auto out, CopyAcross(from, uids, actor, to, path, there));
  if (out.source.empty()) return out;
  // What a crash leaves in between is there twice, and never lost.
  const protocol::FlagChange deleted{protocol::FlagChange::Op::kAdd, {protocol::SystemFlag::kDeleted}};
  RETURN_IF_ERROR(UpdateFlags(from, out.source, deleted, actor));
  RETURN_IF_ERROR(Expunge(from, out.source, actor));
  return out;
}

}  // namespace storage
