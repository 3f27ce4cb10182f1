#include "server/imap/sort/found_run.h"

#include <algorithm>

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
  const auto reader = store_.Read(view_.folder(), view_.actor());
  if (!reader) return tl::unexpected(reader.error());
  while (!batches_->done()) {
    const UidSet batch = batches_->Next(batch_);
    const auto taken = Take(*reader, batch);
    if (!taken) return tl::unexpected(taken.error());
    taken_ += batch.size();
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

search::WorkDone FoundRun::progress() const {
  const search::WorkDone search = search_.progress();
  if (!batches_) return {search.done, 2 * search.of};
  const std::uint64_t found = std::max<std::uint64_t>(search_.found().size(), 1);
  return {search.of + search.of * taken_ / found, 2 * search.of};
}

}  // namespace server::imap::sort
