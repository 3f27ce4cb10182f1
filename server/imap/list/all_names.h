#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store/mail_store.h"

namespace server::imap::list {

/// The session's own names, and after them those of other users' mailboxes that it may see (RFC 2342 §5),
/// with the superiors that these need: one list, as storage::FolderNames has it.
///
/// Lifetime   that of the names it is made of.
class AllNames {
 public:
  /// `own` may hold subscriptions to other users' mailboxes: they take their place among these. `superiors`:
  /// names that are only above a mailbox that may be seen are names like others; else nothing is told of them
  /// (RFC 4314 §4, LIST).
  AllNames(const std::vector<storage::FolderName>& own, std::vector<storage::SharedFolder> shared,
           bool superiors);
  AllNames(const AllNames&) = delete;

  const std::vector<storage::FolderName>& names() const { return names_; }
  /// Where an own name stood in `own`.
  std::size_t Own(std::size_t index) const { return own_[index]; }
  /// nullptr: it is an own name, or has no mailbox.
  const storage::SharedFolder* Shared(std::size_t index) const;

 private:
  struct PathOrder {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
  };
  struct Name {
    const storage::SharedFolder* shared = nullptr;
    bool superior = false;  ///< of one that may be seen
    bool subscribed = false;
  };
  void AddOwn(const std::vector<storage::FolderName>& own);
  void AddForeign(bool superiors);

  std::vector<storage::SharedFolder> shared_;
  std::map<std::string, Name, PathOrder> foreign_;  ///< by name
  std::vector<storage::FolderName> names_;
  std::vector<std::size_t> own_;
  std::size_t first_foreign_ = 0;
  std::vector<const storage::SharedFolder*> folders_;  ///< of the foreign names
};

}  // namespace server::imap::list
