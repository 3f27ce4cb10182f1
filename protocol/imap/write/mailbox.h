#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "protocol/imap/command/status.h"
#include "protocol/model/ids.h"
#include "protocol/model/uid_set.h"

/// Untagged responses about mailboxes (RFC 3501 §7.2, §7.3.1, §7.4.1). Each appends one whole line.
namespace protocol::write {

/// Attributes with their backslash: "\Noselect", "\HasChildren", "\Sent"; the delimiter is '/'.
/// `child_info`: selection options that an inferior meets, for CHILDINFO (RFC 5258 §3.5): "SUBSCRIBED".
void ListLine(std::string& out, std::span<const std::string_view> attributes, std::string_view utf8_name,
              std::span<const std::string_view> child_info = {});
/// With the OLDNAME of a mailbox that was renamed (RFC 5465 §5.4).
void ListRenamedLine(std::string& out, std::span<const std::string_view> attributes,
                     std::string_view utf8_name, std::string_view utf8_old_name);
void LsubLine(std::string& out, std::span<const std::string_view> attributes, std::string_view utf8_name);
/// The answer to LIST "" "": the delimiter and the root of `reference`.
void ListRootLine(std::string& out, std::string_view utf8_root);

void ExistsLine(std::string& out, std::uint32_t messages);
void RecentLine(std::string& out, std::uint32_t messages);
void ExpungeLine(std::string& out, SeqNum number);
/// "* VANISHED 4:7,9", "* VANISHED (EARLIER) ..." (RFC 7162 §3.2.10): as many lines as keep each short enough
/// for clients that limit them; none for the empty set.
void VanishedLines(std::string& out, const UidSet& uids, bool earlier);

/// "* STATUS name (ITEM value ...)": items in the order in which they are added.
class StatusLine {
 public:
  StatusLine(std::string& out, std::string_view utf8_name);
  /// Every item but MAILBOXID.
  void Add(StatusItem item, std::uint64_t value);
  void AddMailboxId(FolderId folder);
  void End();

 private:
  void Separate();

  std::string& out_;
  bool first_ = true;
};

}  // namespace protocol::write
