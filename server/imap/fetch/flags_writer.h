#pragma once

#include <string>
#include <vector>

#include "server/imap/view/mailbox_view.h"

namespace server::imap {

/// "* n FETCH (UID u FLAGS (...))" for many messages: a flag list is formatted once for each distinct set,
/// numbers are written in place, nothing is allocated for a message.
///
/// Lifetime   within one answer; the view does not change meanwhile.
class FlagsWriter {
 public:
  FlagsWriter(const MailboxView& view, bool with_uid)
      : view_(view), cursor_(view.map()), with_uid_(with_uid) {}

  /// States in UID order. A message that has no number in the view is passed over: false.
  bool Write(std::string& out, const storage::MessageState& state);

 private:
  struct Tail {
    storage::FlagBits flags;
    bool recent;
    std::string text;  ///< from "FLAGS" to the end of the line
  };
  const std::string& TailOf(const storage::FlagBits& flags, bool recent);

  static constexpr std::size_t kMaxTails = 64;

  const MailboxView& view_;
  SequenceMap::Cursor cursor_;
  const bool with_uid_;
  std::vector<Tail> tails_;
  std::size_t last_ = 0;
};

}  // namespace server::imap
