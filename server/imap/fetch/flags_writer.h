#pragma once

#include <string>
#include <vector>

#include "server/imap/view/mailbox_view.h"

namespace server::imap {

/// "* n FETCH (UID u FLAGS (...) MODSEQ (m))", or a part of it, for many messages: a flag list is formatted
/// once for each distinct set, numbers are written in place, nothing is allocated for a message.
///
/// Lifetime   within one answer; the view does not change meanwhile.
class FlagsWriter {
 public:
  struct Items {
    bool uid = false;
    bool flags = true;
    bool modseq = false;    ///< or `flags`
    bool uid_only = false;  ///< "* u UIDFETCH (...)" (RFC 9586)
  };
  FlagsWriter(const MailboxView& view, Items items) : view_(view), cursor_(view.map()), items_(items) {}

  /// States in UID order. A message that has no number in the view is passed over: false.
  bool Write(std::string& out, const storage::MessageState& state);

  /// The highest mod-sequence that was written.
  storage::ModSeq highest_modseq() const { return highest_modseq_; }

 private:
  struct Tail {
    storage::FlagBits flags;
    bool recent;
    std::string text;  ///< from "FLAGS" to the end of the line, or to the mod-sequence
  };
  const std::string& TailOf(const storage::FlagBits& flags, bool recent);

  static constexpr std::size_t kMaxTails = 64;

  const MailboxView& view_;
  SequenceMap::Cursor cursor_;
  const Items items_;
  std::vector<Tail> tails_;
  std::size_t last_ = 0;
  storage::ModSeq highest_modseq_;
};

}  // namespace server::imap
