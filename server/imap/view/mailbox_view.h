#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "server/imap/view/change_inbox.h"
#include "server/imap/view/sequence_map.h"
#include "storage/store/folder.h"
#include "storage/store/rights.h"

namespace server::imap {

/// Where a view's reports go: the session's output, or a test's model of a client.
class ViewReports {
 public:
  virtual ~ViewReports() = default;
  /// FLAGS and [PERMANENTFLAGS]: the folder has more keywords, or this client other rights, than it was told
  /// of.
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
  storage::Rights rights = storage::Rights::All();
};

enum class ExpungePolicy { kAllowed, kForbidden };

/// What a client wants to hear of others' changes (RFC 5465 §3.1).
enum class Wanted : std::uint8_t {
  kNothing,     ///< numbers stay as they are; own changes of them are told, and with them what came before
  kCounts,      ///< new messages and expunges
  kEverything,  ///< and flags
};

/// What it wants to be sent of each message that others add.
enum class WantedOfNew : std::uint8_t { kNothing, kItems, kItemsWithFlags };

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
  /// `inbox` was subscribed before `opened` was read. `actor`: who looks at it, as the folder's account knows
  /// them; its origin marks the session's own changes. `examined`: by EXAMINE.
  MailboxView(const storage::OpenedFolder& opened, bool examined, storage::Actor actor, ChangeInbox& inbox);

  const storage::FolderRef& folder() const { return folder_; }
  const storage::Actor& actor() const { return actor_; }
  bool examined() const { return examined_; }
  /// As they are now, as far as news have come.
  storage::Rights rights() const { return rights_; }
  bool read_only() const { return examined_ || !rights_.HasAny(storage::kAnyForReadWrite); }
  /// The folder was deleted, or is read no more by this session, which has lost the right to: all its
  /// messages are gone, and store calls will say so.
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

  /// Another session reset the folder's URLAUTH key since the last call.
  bool TakeKeysReset() { return std::exchange(keys_reset_, false); }

  const storage::KeywordTable& keywords() const { return *keywords_; }
  /// Takes over a newer table; an older one is passed over.
  void Learn(const std::shared_ptr<const storage::KeywordTable>& keywords);
  /// Tells of keywords that the client has not heard of: before a FETCH answer may name them.
  void ReportKeywords(ViewReports& out);

  /// RFC 5182 §2.1, `$`.
  const UidSet& saved() const { return saved_; }
  void Save(UidSet found) { saved_ = std::move(found); }

  /// For contexts (RFC 5267): while it is watched, the view notes which messages were added, expunged or had
  /// their flags changed, by whomever.
  void Watch(bool on);
  /// Whether TakeArrived() gives new messages, whatever WantedOfNew says.
  void CollectNew(bool on) { collects_new_ = on; }
  bool touched() const { return !touched_.Minus(added_).empty(); }
  /// Since the last call. A message that has no number yet waits until it has one.
  UidSet TakeTouched();
  /// Which of `uids` have a number and are there.
  UidSet Present(const UidSet& uids) const { return map_.Known(uids).Minus(gone_); }

  /// From now on; before it is called, everything but items of new messages.
  void Want(Wanted wanted, WantedOfNew of_new) {
    wanted_ = wanted;
    of_new_ = of_new;
  }
  Wanted wanted() const { return wanted_; }
  WantedOfNew wanted_of_new() const { return of_new_; }
  /// Whether Report() gives new messages their numbers.
  bool TellsCounts() const { return wanted_ != Wanted::kNothing || own_untold_; }
  bool has_arrived() const { return !arrived_.empty(); }
  /// Others' messages that were told of since the last call, to be sent as WantedOfNew says.
  UidSet TakeArrived() { return std::exchange(arrived_, {}); }
  /// Whether others have done what the client was not told of, also because it does not want to be.
  bool IsBehind() { return Absorb() || (others_untold_ && AnythingUntold()); }

  /// Takes the inbox's news in. True: news were lost; call Adopt() with the folder as read after this call.
  /// If it could not be read, the next call says so again.
  [[nodiscard]] bool Absorb();
  void Adopt(const FolderPicture& now);
  /// Flags that changed since are what Adopt() has to be given.
  storage::ModSeq read_since() const { return flags_skipped_ ? told_ : modseq_; }

  /// The client has been told these states by an answer of its own command: what was to be reported of them
  /// up to the same modseq is not told again.
  void NoteTold(const std::vector<storage::MessageState>& told);

  /// Tells of keywords and new messages alone: before a command that may name these.
  void ReportArrivals(ViewReports& out);
  /// Tells what may be told; false if `out` was full before the end.
  [[nodiscard]] bool Report(ExpungePolicy policy, ViewReports& out);

 private:
  void Apply(const storage::Change& change);
  void ApplyRights(const storage::AclChanged& change);
  void BeginUntold();
  void AddUids(const UidSet& uids);
  void RemoveUids(const UidSet& uids);
  void TakeFlags(const storage::FlagsChanged& what, bool own);
  void MergeStates(const std::vector<storage::MessageState>& states, bool own);
  void DropFolder();
  void Touch(const UidSet& uids);
  bool AnythingUntold() const {
    return !gone_.empty() || !added_.empty() || !changed_.empty() || flags_skipped_;
  }
  bool ReportExpunges(ViewReports& out);
  void ReportCounts(ViewReports& out);
  bool ReportFlags(ViewReports& out);

  const storage::FolderRef folder_;
  const storage::Actor actor_;
  const Uid recent_from_;
  ChangeInbox& inbox_;
  const bool examined_;
  storage::Rights rights_;
  bool rights_untold_ = false;  ///< they are others than the client was told of
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
  bool keys_reset_ = false;  ///< see TakeKeysReset()
  Wanted wanted_ = Wanted::kEverything;
  WantedOfNew of_new_ = WantedOfNew::kNothing;
  bool own_untold_ = false;     ///< gone_ or added_ have some of the session's own
  bool others_untold_ = false;  ///< some of what is untold is others' doing
  bool flags_skipped_ = false;  ///< flags have changed since told_ that were not wanted, or not read
  bool flags_unread_ = false;   ///< some of them must be read, because \Seen is a guest's own
  SequenceMap map_;
  std::shared_ptr<const storage::KeywordTable> keywords_;
  UidSet saved_;
  bool watched_ = false;
  bool collects_new_ = false;
  UidSet touched_;                              ///< see Watch()
  UidSet gone_;                                 ///< expunged, not yet told
  UidSet added_;                                ///< appended, not yet told
  UidSet own_added_;                            ///< of `added_`
  UidSet arrived_;                              ///< see TakeArrived()
  std::vector<storage::MessageState> changed_;  ///< flags not yet told
};

}  // namespace server::imap
