#include "storage/store/picture_cache.h"

#include <algorithm>
#include <utility>

namespace storage {

std::optional<Uid> FolderPicture::FirstUnseen() const {
  const auto at = std::ranges::find_if(pages, [](const Page& page) { return page.first_unseen.value != 0; });
  if (at == pages.end()) return std::nullopt;
  return at->first_unseen;
}

std::optional<PictureCache::Known> PictureCache::Find(FolderRef folder, ModSeq modseq) const {
  const std::scoped_lock lock(mutex_);
  const auto at = entries_.find(folder);
  if (at == entries_.end()) return std::nullopt;
  const Entry& entry = at->second;
  // A view that is older than the picture is rare, and not worth more.
  if (modseq < entry.picture->modseq || modseq > entry.noted) return std::nullopt;
  Known known{entry.picture, {}};
  if (modseq == entry.picture->modseq) return known;
  known.changed.reserve(entry.changed.size());
  for (const auto& [page, last] : entry.changed) known.changed.push_back(page);
  return known;
}

void PictureCache::Keep(FolderRef folder, FolderPicture picture) {
  const std::scoped_lock lock(mutex_);
  auto at = entries_.find(folder);
  if (at != entries_.end()) {
    if (picture.modseq < at->second.picture->modseq) return;
    cost_ -= at->second.Cost();
  } else {
    at = entries_.emplace(folder, Entry()).first;
  }
  Entry& entry = at->second;
  entry.picture = std::make_shared<const FolderPicture>(std::move(picture));
  const ModSeq modseq = entry.picture->modseq;
  entry.noted = std::max(entry.noted, modseq);
  std::erase_if(entry.changed, [&](const auto& change) { return change.second <= modseq; });
  cost_ += entry.Cost();
  if (cost_ <= kMaxRanges) return;
  // Rare, and what is needed comes back with the next SELECT: no order of use is kept for it.
  const bool too_large = entry.Cost() > kMaxRanges;
  auto kept = entries_.extract(at);
  entries_.clear();
  cost_ = 0;
  if (too_large) return;
  cost_ = kept.mapped().Cost();
  entries_.insert(std::move(kept));
}

void PictureCache::Note(const PagesChanged& change) {
  const std::scoped_lock lock(mutex_);
  const auto at = entries_.find(change.folder);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  if (change.before > entry.noted) {
    cost_ -= entry.Cost();
    entries_.erase(at);
    return;
  }
  entry.noted = std::max(entry.noted, change.after);
  for (const auto page : change.pages) {
    ModSeq& last = entry.changed[page];
    last = std::max(last, change.after);
  }
}

}  // namespace storage
