#pragma once

#include <optional>
#include <string>

#include "server/imap/view/mailbox_view.h"
#include "server/imap/wire.h"

namespace server::imap {

/// In which form a session is told of changes.
struct ReportForm {
  bool uid = false;       ///< FETCH names the UID (RFC 3501 §6.4.8, RFC 7162 §3.2.4)
  bool modseq = false;    ///< and the mod-sequence (RFC 7162 §3.1)
  bool vanished = false;  ///< VANISHED instead of EXPUNGE (RFC 7162 §3.2.10.2)
  bool uid_only = false;  ///< UIDFETCH instead of FETCH, then not `uid` (RFC 9586)
};

/// A view's reports as lines of IMAP.
///
/// Lifetime   one call of MailboxView::Report().
class ViewWriter final : public ViewReports {
 public:
  ViewWriter(std::string& out, const MailboxView& view, ReportForm form)
      : out_(out), view_(view), form_(form) {}

  void Keywords(const storage::KeywordTable& keywords) override;
  void Exists(std::uint32_t messages) override;
  void Recent(std::uint32_t messages) override;
  void Expunge(SeqNum seq) override;
  void Vanished(const UidSet& uids) override;
  bool expunges_by_uid() const override { return form_.vanished; }
  void FetchFlags(SeqNum seq, const storage::MessageState& state, bool recent) override;
  bool Full() const override { return out_.size() >= Output::kFull; }

 private:
  std::string& out_;
  const MailboxView& view_;
  const ReportForm form_;
};

/// FLAGS and the untagged OK [PERMANENTFLAGS] of SELECT (RFC 3501 §7.1, §7.2.6); the latter as the rights are
/// (RFC 4314 §5.1.1).
void WriteFlagLines(std::string& out, const storage::KeywordTable& keywords, const MailboxView& view);

}  // namespace server::imap
