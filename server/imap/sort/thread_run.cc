#include "server/imap/sort/thread_run.h"

#include <utility>

#include "protocol/imap/limits.h"
#include "protocol/mime/header_block.h"
#include "protocol/mime/message_id.h"
#include "protocol/model/ascii.h"
#include "server/imap/sort/message_keys.h"
#include "storage/store/id_lookup.h"

namespace server::imap::sort {

using protocol::ThreadAlgorithm;
using protocol::mime::EnvelopeReader;
using storage::FolderReader;
using storage::MessageRow;

namespace limits = protocol::limits;

namespace {

constexpr std::uint64_t kShort = 16 * 1024;  ///< messages up to this are read many at once

/// What the row says of one message, until its References are read.
struct Head {
  std::int64_t date = 0;
  Subject subject;
  std::string id;
  std::string in_reply_to;  ///< the first Message ID in it
  storage::ObjectId object;
  std::uint64_t size = 0;
};

Head HeadOf(const MessageRow& row) {
  using Field = EnvelopeReader::Field;
  const EnvelopeReader envelope(row.envelope);
  const auto id = [&](Field field) {
    return protocol::mime::FirstMessageId(envelope.Text(field).value_or(std::string()), limits::kThreadId);
  };
  return {.date = SentDate(row),
          .subject = SubjectOf(envelope),
          .id = id(Field::kMessageId),
          .in_reply_to = id(Field::kInReplyTo),
          .object = row.object,
          .size = row.size};
}

/// Of the first References field that has any; a header that is read at all lies in the first chunk.
std::vector<std::string> ReferencesIn(std::string_view octets) {
  protocol::mime::HeaderReader header(octets);
  while (const auto field = header.Next()) {
    if (!protocol::ascii::EqualNoCase(field->name, "references")) continue;
    auto ids = protocol::mime::NormalMessageIds(protocol::mime::Unfold(field->value),
                                                limits::kThreadReferences, limits::kThreadId);
    if (!ids.empty()) return ids;
  }
  return {};
}

}  // namespace

ThreadRun::ThreadRun(storage::MailStore& store, MailboxView& view, const protocol::command::Thread& cmd,
                     const Clock& clock)
    : FoundRun(store, view, cmd.search, clock, kRowsBatch) {
  switch (cmd.algorithm) {
    case ThreadAlgorithm::kOrderedSubject: threads_.emplace<OrderedSubjectThreads>(); break;
    case ThreadAlgorithm::kReferences: threads_.emplace<ReferenceThreads>(); break;
    case ThreadAlgorithm::kCpmContribution: threads_.emplace<ContributionThreads>(); break;
  }
}

storage::Result<> ThreadRun::Take(const FolderReader& reader, const UidSet& uids) {
  if (std::holds_alternative<ReferenceThreads>(threads_)) return TakeReferences(reader, uids);
  if (std::holds_alternative<ContributionThreads>(threads_)) return TakeContributions(reader, uids);
  return TakeSubjects(reader, uids);
}

storage::Result<> ThreadRun::TakeSubjects(const FolderReader& reader, const UidSet& uids) {
  auto& threads = std::get<OrderedSubjectThreads>(threads_);
  return reader.Rows(uids, [&](Uid uid, const MessageRow& row) {
    uids_.push_back(uid);
    threads.Add(SentDate(row), SubjectOf(EnvelopeReader(row.envelope)).base);
    return true;
  });
}

storage::Result<> ThreadRun::TakeReferences(const FolderReader& reader, const UidSet& uids) {
  std::vector<Head> heads;
  std::vector<storage::ObjectId> short_objects;
  const auto rows = reader.Rows(uids, [&](Uid uid, const MessageRow& row) {
    uids_.push_back(uid);
    heads.push_back(HeadOf(row));
    if (row.size <= kShort) short_objects.push_back(row.object);
    return true;
  });
  if (!rows) return rows;
  const auto bodies = reader.ShortBodies(short_objects);
  if (!bodies) return tl::unexpected(bodies.error());

  auto& threads = std::get<ReferenceThreads>(threads_);
  auto body = bodies->begin();
  for (const Head& head : heads) {
    std::vector<std::string> references;
    if (head.size <= kShort) {
      references = ReferencesIn(body->has_value() ? std::string_view(**body) : std::string_view());
      ++body;
    } else {
      const auto octets = reader.Octets(head.object, 0, storage::StagedBody::kChunk);
      if (!octets) return tl::unexpected(octets.error());
      references = ReferencesIn(*octets);
    }
    if (references.empty() && !head.in_reply_to.empty()) references.push_back(head.in_reply_to);
    threads.Add({.date = head.date,
                 .base_subject = head.subject.base,
                 .reply_or_forward = head.subject.reply_or_forward,
                 .id = head.id,
                 .references = references});
  }
  return {};
}

storage::Result<> ThreadRun::TakeContributions(const FolderReader& reader, const UidSet& uids) {
  using storage::IdKind;
  auto& threads = std::get<ContributionThreads>(threads_);
  storage::Result<> bad;
  const auto rows = reader.Rows(uids, [&](Uid uid, const MessageRow& row) {
    const auto contribution = storage::IdIn(row.ids, IdKind::kContribution);
    const auto in_reply_to = storage::IdIn(row.ids, IdKind::kInReplyToContribution);
    if (!contribution || !in_reply_to) {
      bad = tl::unexpected(contribution ? in_reply_to.error() : contribution.error());
      return false;
    }
    uids_.push_back(uid);
    threads.Add(SentDate(row), *contribution, *in_reply_to);
    return true;
  });
  return bad ? rows : bad;
}

void ThreadRun::Arrange() {
  members_ = std::visit([](auto& threads) { return threads.Arrange(); }, threads_);
}

std::size_t ThreadRun::memory() const {
  return std::visit([](const auto& threads) { return threads.memory(); }, threads_) +
         uids_.size() * sizeof(Uid);
}

}  // namespace server::imap::sort
