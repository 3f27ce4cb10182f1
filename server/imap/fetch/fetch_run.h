#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/clock.h"
#include "server/imap/fetch/body_transfer.h"
#include "server/imap/fetch/plan.h"
#include "server/imap/fetch/uid_batches.h"
#include "server/imap/view/mailbox_view.h"
#include "server/imap/wire.h"
#include "storage/store/mail_store.h"

namespace server::imap {

/// One FETCH at work: Produce() runs on the storage pool and fills the output with about a step
/// (Output::HasStep()) or for about kTime, the session sends that, and so on. Memory is that, whatever is
/// fetched.
///
/// Lifetime   one command; store, view and `out` outlive it.
/// Thread     the pool's during Produce(), while the session waits for it.
class FetchRun {
 public:
  /// What is decoded may be long and its answer short: looked at after each item.
  static constexpr std::chrono::milliseconds kTime{50};

  FetchRun(storage::MailStore& store, MailboxView& view, storage::Actor actor, const Clock& clock,
           FetchPlan plan, UidSet uids, Output& out)
      : store_(store),
        view_(view),
        actor_(actor),
        clock_(clock),
        plan_(std::move(plan)),
        uids_(std::move(uids)),
        batches_(uids_),
        out_(out) {}
  FetchRun(const FetchRun&) = delete;

  /// True when everything has been written.
  storage::Result<bool> Produce();

  /// An error came while a literal was half written: only closing the connection tells the client.
  bool mid_literal() const { return mid_literal_; }
  /// What was written so far ends with a whole line.
  bool between_answers() const { return loaded_.empty() || !loaded_.front().response; }
  /// Messages that were to be answered but are gone.
  /// With CHANGEDSINCE none is: nobody knows whether they would have been.
  bool any_missing() const { return !plan_.changed_since && answered_ + left_out_ < uids_.size(); }
  bool unreadable() const { return unreadable_; }
  bool unknown_cte() const { return unknown_cte_; }

 private:
  /// What is kept of a row while bodies are sent.
  struct Message {
    storage::MessageState state;
    bool became_seen = false;
    SeqNum seq;
    storage::MessageRow row;            ///< its views point into the strings below
    std::optional<std::string> octets;  ///< of a short message; nullopt: they are read when it is its turn
    std::string parts_text;
    std::string envelope;
    std::string body;
    std::string body_structure;

    protocol::mime::Parts parts;
    std::unique_ptr<protocol::mime::Source> source;
    protocol::mime::Parts served_parts;              ///< with `served`
    std::unique_ptr<protocol::mime::Source> served;  ///< for all but BINARY, where it is not as appended
    std::optional<protocol::write::FetchResponse> response;
    BodyTransfer::Sizes sizes;
    std::optional<BodyTransfer> transfer;
    std::size_t item = 0;
  };

  storage::Result<> DropUnchanged();
  storage::Result<bool> ProduceUids();
  storage::Result<bool> ProduceFlags();
  storage::Result<bool> ProduceRows();
  storage::Result<bool> ProduceBodies();
  storage::Result<> LoadBodies();
  storage::Result<> LoadOctets(const storage::FolderReader& reader);
  /// The octets that it keeps.
  std::size_t Load(const storage::MessageState& state, SeqNum seq, const storage::MessageRow& row);
  storage::Result<> ReadStates(const storage::FolderReader& reader, const UidSet& batch,
                               std::vector<storage::MessageState>& states);
  void MarkSeen(const UidSet& batch);
  storage::Result<storage::FolderReader> OpenForBodies(const UidSet& batch);
  protocol::write::FetchResponse Begin(SeqNum seq, storage::Uid uid);
  void LearnKeywords(const storage::FolderReader& reader);
  void WriteHead(protocol::write::FetchResponse& response, storage::Uid uid, bool unasked);
  void WriteItem(const FetchItem& item, protocol::write::FetchResponse& response,
                 const storage::MessageState& state, const storage::MessageRow& row);
  void WriteModSeq(protocol::write::FetchResponse& response, const storage::MessageState& state);
  /// False: the output is full in the midst of the message.
  storage::Result<bool> WriteMessage(Message& message);
  bool OpenMessage(Message& message);
  void WritePreview(Message& message, bool lazy);
  bool Note(BodyTransfer::Begun begun);
  bool Overdue() const { return clock_.Now() >= until_; }

  storage::MailStore& store_;
  MailboxView& view_;
  const storage::Actor actor_;
  const Clock& clock_;
  std::chrono::steady_clock::time_point until_;  ///< when this Produce() should end
  const FetchPlan plan_;
  UidSet uids_;
  UidBatches batches_;
  Output& out_;
  std::deque<Message> loaded_;
  UidSet became_seen_;  ///< by this command
  std::uint64_t answered_ = 0;
  std::uint64_t left_out_ = 0;  ///< there, but nothing could be said of them
  bool dropped_unchanged_ = false;
  bool mid_literal_ = false;
  bool unreadable_ = false;
  bool unknown_cte_ = false;
};

}  // namespace server::imap
