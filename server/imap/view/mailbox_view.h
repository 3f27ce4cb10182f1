#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "server/imap/view/change_inbox.h"
#include "server/imap/view/sequence_map.h"
#include "storage/store/folder.h"

namespace server::imap {

/// Where a view's reports go: the session's output, or a test's model of a client.
class ViewReports {
 public:
  virtual ~ViewReports() = default;
  /// FLAGS and [PERMANENTFLAGS]: the folder has more keywords than this client was told of.
  virtual void Keywords(const storage::KeywordTable& keywords) = 0;
  virtual void Exists(std::uint32_t messages) = 0;
  virtual void Recent(std::uint32_t messages) = 0;
  /// One of the two, as expunges_by_uid() says (RFC 7162 §3.2.10.2).
  virtual void Expunge(SeqNum seq) = 0;
  virtual void Vanished(const UidSet& uids) = 0;
  virtual bool expunges_by_uid() const { return false; }
  virtual void FetchFlags(SeqNum seq, const storage::MessageState& state, bool recent) = 0;
  /// Enough for now: the view stops and goes on at the next call.
  virtual bool Full() const { return false; }
};

/// What a folder looks like now, for a view that lost track.
struct FolderPicture {
  bool deleted = false;  ///< then nothing else is set
  storage::ModSeq modseq;
  UidSet uids;
  std::vector<storage::MessageState> changed;  ///< with a modseq above the view's modseq(), in UID order
  std::shared_ptr<const storage::KeywordTable> keywords;
};

enum class ExpungePolicy { kAllowed, kForbidden };

/// One session's picture of its selected folder: which message has which number for this client.
///
/// A client counts messages by position, so positions change only when the protocol lets us say so: news are
/// queued by the inbox, absorbed by Absorb(), and told by Report(), the only place that tells EXISTS, RECENT,
/// EXPUNGE and other sessions' FLAGS (RFC 3501 §7.4.1). A message that is gone but not yet reported keeps its
/// number.
///
///   if (view.Absorb()) view.Adopt(<the folder as read now>);
///   while (!view.Report(policy, out)) <flush out>;
///
/// Lifetime   SELECT to CLOSE, inside one Session; never shared. The inbox outlives it.
/// Thread     the session's.
/// Invariant  gone_ is a part of map_; added_ is above map_'s last UID; changed_ in UID order.
class MailboxView {
 public:
  /// `inbox` was subscribed before `opened` was read. `own` marks the session's own changes.
  MailboxView(const storage::OpenedFolder& opened, bool read_only, storage::Origin own, ChangeInbox& inbox);

  const storage::FolderRef& folder() const { return folder_; }
  bool read_only() const { return read_only_; }
  /// The folder was deleted: all its messages are gone, and store calls will say kNoSuchFolder.
  bool deleted() const { return deleted_; }
  const SequenceMap& map() const { return map_; }
  std::uint32_t messages() const { return map_.size(); }
  bool IsRecent(Uid uid) const { return uid >= recent_from_; }
  std::uint32_t recent() const { return map_.CountFrom(recent_from_); }
  Uid recent_from() const { return recent_from_; }
  /// Expunged, but the client has not been told yet: they still have numbers.
  const UidSet& gone() const { return gone_; }
  /// Messages were added, and told of, since SELECT.
  bool has_grown() const { return has_grown_; }
  /// The state of the folder that this view knows of.
  storage::ModSeq modseq() const { return modseq_; }
  /// Up to where the client has been told everything, so what it may be given as HIGHESTMODSEQ: if it comes
  /// back with that, it misses nothing (RFC 7162 §3.2, §6).
  storage::ModSeq told() const { return AnythingUntold() ? told_ : settled_; }
  /// The client was given this mod-sequence in a FETCH answer. If that is beyond told(), it must be told so:
  /// it would take it for how far it is (RFC 7162 §3.2).
  void NoteShown(storage::ModSeq modseq) { shown_ = std::max(shown_, modseq); }
  /// The highest since the last call.
  storage::ModSeq TakeShown() { return std::exchange(shown_, storage::ModSeq{}); }
  /// Messages were expunged since the last call that said so, and none of them is untold.
  bool TakeExpunged() { return gone_.empty() && std::exchange(expunged_, false); }

  const storage::KeywordTable& keywords() const { return *keywords_; }
  /// Takes over a newer table; an older one is passed over.
  void Learn(const std::shared_ptr<const storage::KeywordTable>& keywords);
  /// Tells of keywords that the client has not heard of: before a FETCH answer may name them.
  void ReportKeywords(ViewReports& out);

  /// RFC 5182 §2.1, `$`.
  const UidSet& saved() const { return saved_; }
  void Save(UidSet found) { saved_ = std::move(found); }

  /// Takes the inbox's news in. True: news were lost; call Adopt() with the folder as read after this call.
  /// If it could not be read, the next call says so again.
  [[nodiscard]] bool Absorb();
  void Adopt(const FolderPicture& now);

  /// The client has been told these states by an answer of its own command: what was to be reported of them
  /// up to the same modseq is not told again.
  void NoteTold(const std::vector<storage::MessageState>& told);

  /// Tells of keywords and new messages alone: before a command that may name these.
  void ReportArrivals(ViewReports& out);
  /// Tells what may be told; false if `out` was full before the end.
  [[nodiscard]] bool Report(ExpungePolicy policy, ViewReports& out);

 private:
  void Apply(const storage::Change& change);
  void AddUids(const UidSet& uids);
  void RemoveUids(const UidSet& uids);
  void MergeStates(const std::vector<storage::MessageState>& states, bool own);
  void DropFolder();
  bool AnythingUntold() const { return !gone_.empty() || !added_.empty() || !changed_.empty(); }
  bool ReportExpunges(ViewReports& out);
  void ReportCounts(ViewReports& out);
  bool ReportFlags(ViewReports& out);

  const storage::FolderRef folder_;
  const storage::Origin own_;
  const Uid recent_from_;
  ChangeInbox& inbox_;
  const bool read_only_;
  bool deleted_ = false;
  bool lost_ = false;
  bool has_grown_ = false;
  std::uint32_t told_recent_;
  std::uint32_t told_keywords_;
  storage::ModSeq modseq_;
  storage::ModSeq read_at_;  ///< the folder's state when it was last read as a whole
  storage::ModSeq settled_;  ///< up to here no news can come any more but of added messages
  storage::ModSeq told_;     ///< settled_ when the oldest of what is untold came
  storage::ModSeq shown_;    ///< see NoteShown()
  bool expunged_ = false;    ///< see TakeExpunged()
  SequenceMap map_;
  std::shared_ptr<const storage::KeywordTable> keywords_;
  UidSet saved_;
  UidSet gone_;                                 ///< expunged, not yet told
  UidSet added_;                                ///< appended, not yet told
  std::vector<storage::MessageState> changed_;  ///< flags not yet told
};

}  // namespace server::imap
