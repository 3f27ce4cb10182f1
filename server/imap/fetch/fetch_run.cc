#include "server/imap/fetch/fetch_run.h"

#include <utility>

#include "protocol/cpm/preview.h"
#include "protocol/mime/reencode.h"
#include "server/imap/fetch/flags_writer.h"
#include "server/imap/view/view_writer.h"

namespace server::imap {

using protocol::write::FetchResponse;
using storage::MessageRow;
using storage::MessageState;
using Begun = BodyTransfer::Begun;

namespace {

constexpr std::uint32_t kFlagsBatch = 8192;     ///< state pages are cheap: about 256 KiB of answers
constexpr std::uint32_t kChangedBatch = 65536;  ///< with CHANGEDSINCE: most pages are passed over
constexpr std::uint32_t kRowsBatch = 512;
constexpr std::uint32_t kBodiesBatch = 100;
constexpr std::size_t kLoaded = 256 * 1024;  ///< octets of rows and short messages kept while bodies are sent
constexpr std::uint64_t kShort = 16 * 1024;  ///< messages up to this are read many at once

/// States and rows come in the same order; this walks the former beside the latter.
class StateFinder {
 public:
  explicit StateFinder(const std::vector<MessageState>& states) : at_(states.begin()), end_(states.end()) {}
  const MessageState* Find(storage::Uid uid) {
    while (at_ != end_ && at_->uid < uid) ++at_;
    return at_ != end_ && at_->uid == uid ? &*at_ : nullptr;
  }

 private:
  std::vector<MessageState>::const_iterator at_;
  const std::vector<MessageState>::const_iterator end_;
};

}  // namespace

storage::Result<bool> FetchRun::Produce() {
  until_ = clock_.Now() + kTime;
  const auto dropped = DropUnchanged();
  if (!dropped) return tl::unexpected(dropped.error());
  switch (plan_.reads) {
    case FetchPlan::Reads::kNothing: return ProduceUids();
    case FetchPlan::Reads::kStates: return ProduceFlags();
    case FetchPlan::Reads::kRows: return ProduceRows();
    case FetchPlan::Reads::kBodies: return ProduceBodies();
  }
  return true;
}

/// What has not changed since is not looked at any further. ProduceFlags() does that by itself.
storage::Result<> FetchRun::DropUnchanged() {
  if (!plan_.changed_since || dropped_unchanged_ || plan_.reads == FetchPlan::Reads::kStates) return {};
  const auto reader = store_.Read(view_.folder(), view_.actor());
  if (!reader) return tl::unexpected(reader.error());
  UidSet changed;
  const auto read =
      reader->States(uids_, [&](const MessageState& state) { changed.Add(state.uid); }, *plan_.changed_since);
  if (!read) return read;
  uids_ = std::move(changed);  // before the first batch
  dropped_unchanged_ = true;
  return {};
}

void FetchRun::LearnKeywords(const storage::FolderReader& reader) {
  view_.Learn(reader.keywords());
  ViewWriter writer(out_.text(), view_, {.uid = plan_.uid});
  view_.ReportKeywords(writer);
}

FetchResponse FetchRun::Begin(SeqNum seq, storage::Uid uid) {
  return plan_.form.uid_only ? FetchResponse(out_.text(), uid) : FetchResponse(out_.text(), seq);
}

storage::Result<bool> FetchRun::ProduceUids() {
  while (!batches_.done() && !out_.HasStep()) {
    batches_.Next(kFlagsBatch).ForEach([&](storage::Uid uid) {
      FetchResponse response = Begin(*view_.map().SeqOf(uid), uid);
      response.Uid(uid);
      response.End();
      ++answered_;
    });
  }
  return batches_.done();
}

storage::Result<bool> FetchRun::ProduceFlags() {
  const auto reader = store_.Read(view_.folder(), view_.actor());
  if (!reader) return tl::unexpected(reader.error());
  LearnKeywords(*reader);
  FlagsWriter flags(view_, {.uid = plan_.uid,
                            .flags = plan_.flags_asked,
                            .modseq = plan_.modseq_asked,
                            .uid_only = plan_.form.uid_only});
  const auto write = [&](const MessageState& state) {
    if (flags.Write(out_.text(), state)) ++answered_;
  };
  const storage::ModSeq since = plan_.changed_since.value_or(storage::ModSeq{});
  const std::uint32_t batch = since.value != 0 ? kChangedBatch : kFlagsBatch;
  while (!batches_.done() && !out_.HasStep()) {
    const auto read = reader->States(batches_.Next(batch), write, since);
    if (!read) return tl::unexpected(read.error());
  }
  view_.NoteShown(flags.highest_modseq());
  return batches_.done();
}

storage::Result<> FetchRun::ReadStates(const storage::FolderReader& reader, const UidSet& batch,
                                       std::vector<MessageState>& states) {
  if (!plan_.states) return {};
  return reader.States(batch, [&](const MessageState& state) { states.push_back(state); });
}

storage::Result<bool> FetchRun::ProduceRows() {
  const auto reader = store_.Read(view_.folder(), view_.actor());
  if (!reader) return tl::unexpected(reader.error());
  LearnKeywords(*reader);
  SequenceMap::Cursor numbers(view_.map());
  while (!batches_.done() && !out_.HasStep()) {
    const UidSet batch = batches_.Next(kRowsBatch);
    std::vector<MessageState> states;
    const auto read_states = ReadStates(*reader, batch, states);
    if (!read_states) return tl::unexpected(read_states.error());
    StateFinder finder(states);
    const auto read = reader->Rows(batch, [&](storage::Uid uid, const MessageRow& row) {
      const MessageState* state = plan_.states ? finder.Find(uid) : nullptr;
      const auto seq = numbers.SeqOf(uid);
      if (!seq || (plan_.states && state == nullptr)) return true;
      FetchResponse response = Begin(*seq, uid);
      WriteHead(response, uid, /*unasked=*/false);
      for (const FetchItem& item : plan_.items) {
        WriteItem(item, response, state != nullptr ? *state : MessageState{uid, {}, {}}, row);
      }
      response.End();
      ++answered_;
      if (!out_.HasStep()) return true;
      batches_.ResumeAfter(uid);
      return false;
    });
    if (!read) return tl::unexpected(read.error());
  }
  return batches_.done();
}

/// `unasked`: the answer will tell that the message became \Seen.
void FetchRun::WriteHead(FetchResponse& response, storage::Uid uid, bool unasked) {
  if (plan_.uid || (plan_.form.condstore && unasked && !plan_.form.uid_only)) response.Uid(uid);
}

void FetchRun::WriteItem(const FetchItem& item, FetchResponse& response, const MessageState& state,
                         const MessageRow& row) {
  using Kind = FetchItem::Kind;
  switch (item.kind) {
    case Kind::kUid: break;  // written first
    case Kind::kFlags:
      response.Flags(state.flags.system, state.flags.keywords, view_.keywords(), view_.IsRecent(state.uid));
      break;
    case Kind::kInternalDate: response.InternalDate(row.internal_date); break;
    case Kind::kRfc822Size: response.Rfc822Size(protocol::mime::ServedSize(row.parts, row.size)); break;
    case Kind::kEnvelope: response.Structure(item.kind, row.envelope); break;
    case Kind::kBody: response.Structure(item.kind, row.body); break;
    case Kind::kBodyStructure: response.Structure(item.kind, row.body_structure); break;
    case Kind::kEmailId: response.EmailId(row.object); break;
    case Kind::kThreadId: response.ThreadId(std::nullopt); break;
    case Kind::kModSeq: WriteModSeq(response, state); break;
    case Kind::kSaveDate: response.SaveDate(protocol::InternalDate{row.save_date, 0}); break;
    case Kind::kRfc822:
    case Kind::kRfc822Header:
    case Kind::kRfc822Text:
    case Kind::kSection:
    case Kind::kBinary:
    case Kind::kBinarySize:
    case Kind::kPreview: break;  // WriteMessage() has the octets
  }
}

void FetchRun::WriteModSeq(FetchResponse& response, const MessageState& state) {
  view_.NoteShown(state.modseq);
  response.ModSeq(state.modseq);
}

void FetchRun::MarkSeen(const UidSet& batch) {
  if (!plan_.marks_seen) return;
  const protocol::FlagChange change{protocol::FlagChange::Op::kAdd, {protocol::SystemFlag::kSeen}};
  // A store that cannot write still lets the message be read.
  const auto done = store_.UpdateFlags(view_.folder(), batch, change, actor_);
  if (!done) return;
  for (const auto& state : done->changed) became_seen_.Add(state.uid);
}

/// Deferred messages are permanent before their octets leave: what a client has read does not expire. If that
/// cannot be written, they are not read.
storage::Result<storage::FolderReader> FetchRun::OpenForBodies(const UidSet& batch) {
  auto reader = store_.Read(view_.folder(), view_.actor());
  if (!reader || !plan_.access) return reader;
  const auto temporary = reader->Temporary(batch);
  if (!temporary) return tl::unexpected(temporary.error());
  if (temporary->empty()) return reader;
  const auto noted = store_.NoteAccess(view_.folder(), *temporary, actor_);
  if (!noted) return tl::unexpected(noted.error());
  return store_.Read(view_.folder(), view_.actor());
}

storage::Result<> FetchRun::LoadBodies() {
  const UidSet batch = batches_.Next(kBodiesBatch);
  MarkSeen(batch);
  const auto reader = OpenForBodies(batch);
  if (!reader) return tl::unexpected(reader.error());
  LearnKeywords(*reader);
  std::vector<MessageState> states;
  const auto read_states = ReadStates(*reader, batch, states);
  if (!read_states) return read_states;
  StateFinder finder(states);
  std::size_t held = 0;
  const auto rows = reader->Rows(batch, [&](storage::Uid uid, const MessageRow& row) {
    const MessageState* state = plan_.states ? finder.Find(uid) : nullptr;
    const auto seq = view_.map().SeqOf(uid);
    if (!seq || (plan_.states && state == nullptr)) return true;
    held += Load(state != nullptr ? *state : MessageState{uid, {}, {}}, *seq, row);
    if (held < kLoaded) return true;
    batches_.ResumeAfter(uid);
    return false;
  });
  if (!rows) return rows;
  return LoadOctets(*reader);
}

storage::Result<> FetchRun::LoadOctets(const storage::FolderReader& reader) {
  std::vector<Message*> messages;
  std::vector<storage::ObjectId> objects;
  for (Message& message : loaded_) {
    if (message.row.size > kShort) continue;
    messages.push_back(&message);
    objects.push_back(message.row.object);
  }
  auto bodies = reader.ShortBodies(objects);
  if (!bodies) return tl::unexpected(std::move(bodies).error());
  for (std::size_t i = 0; i < messages.size(); ++i) messages[i]->octets = std::move((*bodies)[i]);
  return {};
}

std::size_t FetchRun::Load(const MessageState& state, SeqNum seq, const MessageRow& row) {
  Message& message = loaded_.emplace_back();
  message.state = state;
  message.became_seen = became_seen_.Contains(state.uid);
  message.seq = seq;
  message.parts_text = row.parts;
  if (plan_.structures) {
    message.envelope = row.envelope;
    message.body = row.body;
    message.body_structure = row.body_structure;
  }
  message.row = row;
  message.row.envelope = message.envelope;
  message.row.body = message.body;
  message.row.body_structure = message.body_structure;
  message.row.parts = message.parts_text;
  return message.parts_text.size() + message.envelope.size() + message.body.size() +
         message.body_structure.size() + (row.size <= kShort ? row.size : 0);
}

storage::Result<bool> FetchRun::ProduceBodies() {
  while (!out_.HasStep()) {
    if (loaded_.empty()) {
      if (batches_.done()) return true;
      const auto loaded = LoadBodies();
      if (!loaded) return tl::unexpected(loaded.error());
      continue;
    }
    const auto written = WriteMessage(loaded_.front());
    if (!written) return written;
    if (!*written) return false;
    loaded_.pop_front();
    if (Overdue()) break;
  }
  return loaded_.empty() && batches_.done();
}

bool FetchRun::OpenMessage(Message& message) {
  auto parts = protocol::mime::DecodeParts(message.row.parts);
  if (!parts) return false;
  auto served = protocol::mime::DecodeServed(message.row.parts);
  if (!served) return false;
  message.parts = *std::move(parts);
  if (message.octets) {
    message.source = std::make_unique<protocol::mime::MemorySource>(*message.octets);
  } else {
    message.source = store_.OpenBody(view_.folder().account, message.row.object, message.row.size);
  }
  if (*served) {
    message.served_parts = std::move((*served)->parts);
    message.served = std::make_unique<protocol::mime::ReencodedSource>(*message.source,
                                                                       std::move((*served)->replacements));
  }
  message.response.emplace(Begin(message.seq, message.state.uid));
  WriteHead(*message.response, message.state.uid, /*unasked=*/message.became_seen);
  return true;
}

/// LAZY is for messages that are read many at once; for a longer one the client asks again, without it.
void FetchRun::WritePreview(Message& message, bool lazy) {
  if (lazy && message.row.size > kShort) return message.response->Preview(std::nullopt);
  const auto preview = protocol::cpm::Preview(message.row.object_kind, message.parts, *message.source);
  if (preview) {
    message.response->Preview(*preview);
  } else {
    unreadable_ = true;
  }
}

bool FetchRun::Note(Begun begun) {
  if (begun == Begun::kUnreadable) unreadable_ = true;
  if (begun == Begun::kUnknownCte) unknown_cte_ = true;
  return begun == Begun::kMore;
}

storage::Result<bool> FetchRun::WriteMessage(Message& message) {
  if (!message.response && !OpenMessage(message)) {
    unreadable_ = true;
    ++left_out_;
    return true;
  }
  while (message.item < plan_.items.size()) {
    const FetchItem& item = plan_.items[message.item];
    if (message.transfer) {
      const Begun more = message.transfer->Continue(out_);
      if (more == Begun::kMore) return false;
      if (more == Begun::kUnreadable) {
        mid_literal_ = true;
        return storage::Fail(storage::Errc::kUnavailable,
                             "the octets of a message are gone while it is sent");
      }
      message.transfer.reset();
    } else {
      WriteItem(item, *message.response, message.state, message.row);
      if (item.kind == FetchItem::Kind::kPreview) WritePreview(message, item.lazy);
      // The other items that WriteItem() leaves are the ones that are streamed.
      if (item.kind >= FetchItem::Kind::kRfc822 && item.kind <= FetchItem::Kind::kBinarySize) {
        const bool as_appended = message.served == nullptr || item.kind == FetchItem::Kind::kBinary ||
                                 item.kind == FetchItem::Kind::kBinarySize;
        message.transfer.emplace(as_appended ? *message.source : *message.served,
                                 as_appended ? message.parts : message.served_parts,
                                 protocol::mime::NulOf(message.row.parts), message.sizes);
        if (Note(message.transfer->Begin(item, *message.response, out_))) continue;
        message.transfer.reset();
      }
    }
    ++message.item;
    if (message.item < plan_.items.size() && Overdue()) return false;
  }
  if (message.became_seen && !plan_.flags_asked) {
    message.response->Flags(message.state.flags.system, message.state.flags.keywords, view_.keywords(),
                            view_.IsRecent(message.state.uid));
  }
  if (message.became_seen && plan_.form.condstore && !plan_.modseq_asked) {
    WriteModSeq(*message.response, message.state);
  }
  // None of the items could be answered, and msg-att is never empty (RFC 3501 §9).
  if (message.response->empty()) message.response->Uid(message.state.uid);
  message.response->End();
  ++answered_;
  return true;
}

}  // namespace server::imap
