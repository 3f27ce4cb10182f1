#include "server/imap/sort/found_run.h"

#include "protocol/imap/limits.h"

namespace server::imap::sort {

storage::Result<bool> FoundRun::Slice() {
  if (!batches_) {
    const auto searched = search_.Slice();
    if (!searched) return searched;
    if (!*searched) return false;
    refusal_ = search_.refusal();
    if (refusal_) return true;
    batches_.emplace(search_.found());
    return false;
  }
  const auto until = clock_.Now() + kSlice;
  const auto reader = store_.Read(view_.folder());
  if (!reader) return tl::unexpected(reader.error());
  while (!batches_->done()) {
    const auto taken = Take(*reader, batches_->Next(batch_));
    if (!taken) return tl::unexpected(taken.error());
    if (memory() > protocol::limits::kSortMemory) {
      refusal_ =
          protocol::No(protocol::ResponseCode::kLimit, "Too much to sort at once: search for fewer messages");
      return true;
    }
    if (clock_.Now() >= until) break;
  }
  if (!batches_->done()) return false;
  Arrange();
  return true;
}

}  // namespace server::imap::sort
