#pragma once

#include <optional>
#include <string>

#include "server/imap/view/mailbox_view.h"
#include "server/imap/wire.h"

namespace server::imap {

/// A view's reports as lines of IMAP.
///
/// Lifetime   one call of MailboxView::Report().
class ViewWriter final : public ViewReports {
 public:
  ViewWriter(std::string& out, const MailboxView& view, bool with_uid)
      : out_(out), view_(view), with_uid_(with_uid) {}

  void Keywords(const storage::KeywordTable& keywords) override;
  void Exists(std::uint32_t messages) override;
  void Recent(std::uint32_t messages) override;
  void Expunge(SeqNum seq) override;
  void FetchFlags(SeqNum seq, Uid uid, const storage::FlagBits& flags, bool recent) override;
  bool Full() const override { return out_.size() >= Output::kFull; }

 private:
  std::string& out_;
  const MailboxView& view_;
  const bool with_uid_;
};

/// FLAGS and the untagged OK [PERMANENTFLAGS] of SELECT (RFC 3501 §7.1, §7.2.6).
void WriteFlagLines(std::string& out, const storage::KeywordTable& keywords, bool read_only);

}  // namespace server::imap
