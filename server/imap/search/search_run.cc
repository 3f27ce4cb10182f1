#include "server/imap/search/search_run.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "protocol/mime/inspect.h"

namespace server::imap::search {

using storage::MessageRow;
using storage::MessageState;

namespace {

constexpr std::uint32_t kStatesBatch = 8192;
constexpr std::uint32_t kRowsBatch = 1024;

/// What of a message's text is searched when the store keeps only its beginning. What lies beyond is not
/// found: decoded text of this length is no letter.
constexpr std::size_t kSearchedHeader = 4U << 20;
constexpr std::size_t kSearchedText = 32U << 20;

}  // namespace

storage::Result<> SearchRun::Compile(const storage::FolderReader& reader) {
  view_.Learn(reader.keywords());
  const auto now = std::chrono::system_clock::to_time_t(clock_.WallNow());
  auto program = Program::Compile(cmd_, view_, now);
  if (!program) {
    refusal_ = std::move(program.error());
    return {};
  }
  auto looked_up = program->LookUp(reader);
  if (!looked_up) return looked_up;
  program_ = *std::move(program);
  candidates_ = program_->Narrow(scope_.among ? *scope_.among : view_.map().Uids());
  batches_.emplace(candidates_);
  return {};
}

storage::Result<bool> SearchRun::Slice() {
  const auto until = clock_.Now() + kSlice;
  const auto reader = store_.Read(view_.folder(), view_.actor());
  if (!reader) return tl::unexpected(reader.error());
  if (!program_) {
    const auto compiled = Compile(*reader);
    if (!compiled) return tl::unexpected(compiled.error());
    if (refusal_) return true;
  }
  while (!Finished()) {
    if (!undecided_.empty()) {
      const auto searched = SearchText(*reader, undecided_.front());
      if (!searched) return tl::unexpected(searched.error());
      undecided_.pop_front();
    } else {
      const auto searched = SearchBatch(*reader);
      if (!searched) return tl::unexpected(searched.error());
    }
    if (clock_.Now() >= until) break;
  }
  return Finished();
}

/// Messages are found in ascending order of batches, so it is known only between these which the first are.
bool SearchRun::Finished() const {
  if (!undecided_.empty()) return false;
  return batches_->done() || (scope_.enough && found_.size() >= *scope_.enough);
}

void SearchRun::Found(const MessageState& state) {
  highest_modseq_ = std::max(highest_modseq_, state.modseq);
  found_.Add(state.uid);
}

storage::Result<> SearchRun::SearchBatch(const storage::FolderReader& reader) {
  const UidSet batch = batches_->Next(program_->uses_rows() ? kRowsBatch : kStatesBatch);
  taken_ += batch.size();
  // States are read even if no key needs them: they say which messages are still there.
  std::vector<MessageState> remaining;
  UidSet rows;
  const auto look = [&](const MessageState& state) {
    const Truth truth = program_->Evaluate({.uid = state.uid, .state = &state});
    if (truth == Truth::kTrue) Found(state);
    if (truth != Truth::kUnknown) return;
    remaining.push_back(state);
    rows.Add(state.uid);
  };
  const auto read = reader.States(batch, look, program_->changed_since());
  if (!read || remaining.empty()) return read;
  return SearchRows(reader, rows, remaining);
}

storage::Result<> SearchRun::SearchRows(const storage::FolderReader& reader, const UidSet& uids,
                                        const std::vector<MessageState>& states) {
  auto state = states.begin();
  return reader.Rows(uids, [&](storage::Uid uid, const MessageRow& row) {
    while (state != states.end() && state->uid < uid) ++state;
    if (state == states.end() || state->uid != uid) return true;
    const Truth truth = program_->Evaluate({.uid = uid, .state = &*state, .row = &row});
    if (truth == Truth::kTrue) Found(*state);
    if (truth == Truth::kUnknown) undecided_.push_back({*state, row});
    return true;
  });
}

storage::Result<> SearchRun::SearchText(const storage::FolderReader& reader, const Undecided& message) {
  Known known{.uid = message.state.uid, .state = &message.state, .row = &message.row};
  Truth truth = Truth::kUnknown;
  const auto read = reader.Text(message.row.object, [&](const storage::MessageText& text) {
    known.text = &text;
    truth = program_->Evaluate(known);
  });
  if (!read) return tl::unexpected(read.error());
  if (truth == Truth::kUnknown) {
    const auto matches = ReadWhole(reader, message);
    if (!matches) return tl::unexpected(matches.error());
    truth = *matches ? Truth::kTrue : Truth::kFalse;
  }
  if (truth == Truth::kTrue) Found(message.state);
  return {};
}

storage::Result<bool> SearchRun::ReadWhole(const storage::FolderReader& reader, const Undecided& message) {
  const auto source = reader.Body(message.row.object, message.row.size);
  protocol::mime::InspectLimits limits;
  limits.max_search_header = kSearchedHeader;
  limits.max_search_text = kSearchedText;
  const auto inspection = protocol::mime::Inspect(*source, limits);
  if (!inspection) return storage::Fail(storage::Errc::kUnavailable, "a message's octets cannot be read");
  const storage::MessageText text{inspection->search_header, inspection->search_text, /*truncated=*/false};
  const Known known{.uid = message.state.uid, .state = &message.state, .row = &message.row, .text = &text};
  return program_->Evaluate(known) == Truth::kTrue;
}

}  // namespace server::imap::search
