#include "server/imap/view/change_inbox.h"

#include <new>
#include <type_traits>
#include <utility>

namespace server::imap {

bool ChangeInbox::Concerns(const storage::Change& change) const {
  return std::visit(
      [this](const auto& what) {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, storage::SubscriptionChanged> ||
                      std::is_same_v<What, storage::AnnotationsChanged>) {
          return false;  // of no message
        } else if constexpr (std::is_same_v<What, storage::SharedFoldersChanged>) {
          return false;  // of other accounts
        } else if constexpr (std::is_same_v<What, storage::AccountClosed>) {
          return foreign_;
        } else if constexpr (std::is_same_v<What, storage::UrlKeysReset>) {
          return what.folder == folder_ || what.folder == storage::FolderId{};
        } else {
          return what.folder == folder_;
        }
      },
      change.what);
}

void ChangeInbox::OnChange(const std::shared_ptr<const storage::Change>& change) noexcept {
  if (!Concerns(*change)) return;
  const auto* flags = std::get_if<storage::FlagsChanged>(&change->what);
  const std::size_t states = flags != nullptr ? flags->states.size() : 0;
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    if (!news_.lost) {
      if (news_.changes.size() < limits_.changes && states_ + states <= limits_.states) {
        try {
          news_.changes.push_back(change);
          states_ += states;
        } catch (const std::bad_alloc&) {
          news_.lost = true;
        }
      } else {
        news_.lost = true;
      }
      if (news_.lost) news_.changes = {};
    }
    wake = std::exchange(armed_, false);
  }
  if (wake) wake_();
}

ChangeInbox::News ChangeInbox::Take() {
  const std::scoped_lock lock(mutex_);
  states_ = 0;
  return std::exchange(news_, News{});
}

bool ChangeInbox::Arm() {
  const std::scoped_lock lock(mutex_);
  if (news_.lost || !news_.changes.empty()) return true;
  armed_ = true;
  return false;
}

void ChangeInbox::Disarm() {
  const std::scoped_lock lock(mutex_);
  armed_ = false;
}

}  // namespace server::imap
