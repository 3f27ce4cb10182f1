#include "server/imap/list/list_run.h"

#include <algorithm>
#include <array>

#include "protocol/imap/write/mailbox.h"
#include "protocol/imap/write/metadata.h"
#include "protocol/model/special_use.h"
#include "server/imap/commands/status_line.h"

namespace server::imap::list {

namespace {

/// Work between two looks at the clock.
constexpr std::size_t kNamesBatch = 64;
constexpr std::size_t kStatusBatch = 1024;

constexpr std::array<std::string_view, 1> kChildInfo{"SUBSCRIBED"};

/// A few attributes without the heap.
class Attributes {
 public:
  void Add(std::string_view attribute) { all_[size_++] = attribute; }
  operator std::span<const std::string_view>() const { return {all_.data(), size_}; }

 private:
  std::array<std::string_view, 4> all_;
  std::size_t size_ = 0;
};

}  // namespace

storage::Result<bool> ListRun::Slice() {
  const auto until = clock_.Now() + kSlice;
  if (!names_) {
    auto names = store_.ReadNames(account_, {.prefix = std::string(query_.CommonPrefix()),
                                             .subscriptions = query_.NeedsSubscriptions()});
    if (!names) return tl::unexpected(std::move(names).error());
    names_ = *std::move(names);
    verdicts_.reserve(names_->names().size());
  }
  while (verdicts_.size() < names_->names().size()) {
    Judge(verdicts_.size(), std::min(verdicts_.size() + kNamesBatch, names_->names().size()));
    if (clock_.Now() >= until) return false;
  }
  if (!selected_) Select();
  while (statuses_.size() < by_folder_.size()) {
    const auto read = ReadStatuses();
    if (!read) return tl::unexpected(read.error());
    if (clock_.Now() >= until) return false;
  }
  names_->Release();
  return true;
}

void ListRun::Judge(std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) {
    const FolderName& name = names_->names()[i];
    Verdict verdict;
    verdict.meets = (query_.subscribed ? name.subscribed : name.named) &&
                    (!query_.special_use || name.use != protocol::SpecialUse::kNone);
    if (verdict.meets || query_.recursive) verdict.matches = query_.Matches(name.path);
    verdicts_.push_back(verdict);
  }
}

void ListRun::Select() {
  selected_ = true;
  const auto& names = names_->names();
  if (query_.recursive) {
    // From the end, so that inferiors come before their superiors.
    for (std::size_t i = names.size(); i-- > 0;) {
      if (names[i].superior == FolderName::kNone) continue;
      const Verdict& verdict = verdicts_[i];
      Verdict& superior = verdicts_[names[i].superior];
      superior.meets_below |= verdict.meets || verdict.meets_below;
      superior.hidden_below |= (verdict.meets && !verdict.matches) || verdict.hidden_below;
    }
  }
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    const Verdict& verdict = verdicts_[i];
    // What is met only by inferiors that are listed themselves is not said twice (RFC 5258 §3.3, 2.B).
    if (!verdict.matches || (!verdict.meets && !verdict.hidden_below)) continue;
    listed_.push_back({.name = i, .meets = verdict.meets, .meets_below = verdict.meets_below, .status = {}});
    // RFC 5819 §2: selectable, and not listed for its inferiors' sake.
    if (!query_.returns.status.empty() && verdict.meets && names[i].id.value != 0)
      by_folder_.push_back(static_cast<std::uint32_t>(listed_.size() - 1));
  }
  std::ranges::sort(by_folder_, {}, [&](std::uint32_t at) { return names[listed_[at].name].id; });
  statuses_.reserve(by_folder_.size());
}

storage::Result<> ListRun::ReadStatuses() {
  const std::size_t first = statuses_.size();
  const std::size_t last = std::min(first + kStatusBatch, by_folder_.size());
  std::vector<storage::FolderId> folders;
  folders.reserve(last - first);
  for (std::size_t i = first; i < last; ++i)
    folders.push_back(names_->names()[listed_[by_folder_[i]].name].id);
  const auto& items = query_.returns.status;
  const bool recent = std::ranges::find(items, protocol::StatusItem::kRecent) != items.end();
  return names_->Statuses(folders, recent, [&](const storage::FolderStatus& status) {
    listed_[by_folder_[statuses_.size()]].status = static_cast<std::uint32_t>(statuses_.size());
    statuses_.push_back(status);
  });
}

storage::Result<bool> ListRun::Write(std::string& out, std::size_t enough) {
  const auto until = clock_.Now() + kSlice;
  for (; written_ < listed_.size() && out.size() < enough; ++written_) {
    const Listed& listed = listed_[written_];
    if (query_.lsub)
      WriteLsub(out, listed);
    else
      WriteList(out, listed);
    if (!WriteReads()) continue;
    const FolderName& name = names_->names()[listed.name];
    if (listed.meets && name.id.value != 0) {
      const auto read = WriteMetadata(out, name);
      if (!read) return tl::unexpected(read.error());
    }
    if (clock_.Now() < until) continue;
    ++written_;
    break;
  }
  return written_ == listed_.size();
}

// RFC 9590 §3: one METADATA after the LIST of each mailbox, NIL for what has no value.
storage::Result<> ListRun::WriteMetadata(std::string& out, const FolderName& name) const {
  const storage::AnnotationQuery query{.entries = query_.returns.metadata, .max_size = {}};
  const auto answer = store_.GetAnnotations(storage::FolderRef{account_, name.id}, query, account_);
  if (!answer && answer.error().code == storage::Errc::kNoSuchFolder) return {};  // deleted meanwhile
  if (!answer) return tl::unexpected(answer.error());
  protocol::write::MetadataLine line(out, name.path);
  for (const auto& annotation : answer->found) line.Add(annotation.entry, annotation.value);
  line.End();
  return {};
}

void ListRun::WriteList(std::string& out, const Listed& listed) const {
  const FolderName& name = names_->names()[listed.name];
  const bool there = name.id.value != 0;
  Attributes attributes;
  if (!there) attributes.Add(query_.extended ? "\\NonExistent" : "\\Noselect");
  // A name without a mailbox always says why it is shown (RFC 5258 §3.5, the note).
  if (!query_.extended || query_.returns.children || (!there && name.has_children))
    attributes.Add(name.has_children ? "\\HasChildren" : "\\HasNoChildren");
  if (query_.returns.subscribed && name.subscribed) attributes.Add("\\Subscribed");
  if ((!query_.extended || query_.returns.special_use) && name.use != protocol::SpecialUse::kNone)
    attributes.Add(protocol::Name(name.use));
  const bool child_info = query_.recursive && listed.meets_below;
  protocol::write::ListLine(out, attributes, name.path,
                            child_info ? kChildInfo : std::span<const std::string_view>());
  if (listed.status) WriteStatus(out, name.path, query_.returns.status, statuses_[*listed.status], options_);
}

void ListRun::WriteLsub(std::string& out, const Listed& listed) const {
  const FolderName& name = names_->names()[listed.name];
  Attributes attributes;
  if (!listed.meets || name.id.value == 0) attributes.Add("\\Noselect");
  protocol::write::LsubLine(out, attributes, name.path);
}

}  // namespace server::imap::list
