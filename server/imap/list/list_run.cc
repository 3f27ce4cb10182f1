#include "server/imap/list/list_run.h"

#include <algorithm>
#include <array>

#include "protocol/imap/write/acl.h"
#include "protocol/imap/write/mailbox.h"
#include "protocol/imap/write/metadata.h"
#include "protocol/model/special_use.h"
#include "server/imap/commands/status_line.h"
#include "server/imap/mailbox_place.h"
#include "server/imap/session.h"

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

ListRun::ListRun(const Session& session, const Query& query)
    : session_(session),
      store_(session.services().store),
      query_(query),
      options_(session.services().options),
      clock_(session.services().clock) {}

storage::Result<> ListRun::ReadNames() {
  auto own = store_.ReadNames(session_.account(), {.prefix = std::string(query_.CommonPrefix()),
                                                   .subscriptions = query_.NeedsSubscriptions()});
  if (!own) return tl::unexpected(std::move(own).error());
  names_ = *std::move(own);
  if (query_.returns.my_rights) {
    auto rights = store_.ReadRights(*names_, session_.actor());
    if (!rights) return tl::unexpected(std::move(rights).error());
    rights_ = *std::move(rights);
  }
  if (query_.MayMatchBelow(kOtherUsers)) {
    auto shared = session_.ListShared();
    if (!shared) return tl::unexpected(std::move(shared).error());
    if (!shared->empty())
      all_ = std::make_unique<const AllNames>(names_->names(), *std::move(shared), query_.AsksLevels());
  }
  verdicts_.reserve(names().size());
  return {};
}

ListRun::Mailbox ListRun::MailboxOf(std::uint32_t name) const {
  const auto* shared = all_ ? all_->Shared(name) : nullptr;
  if (shared != nullptr) return {shared->ref, session_.guest()};
  return {{session_.account(), names()[name].id}, session_.actor()};
}

storage::Rights ListRun::RightsOf(std::uint32_t name) const {
  if (const auto* shared = all_ ? all_->Shared(name) : nullptr) return shared->rights;
  return rights_[all_ ? all_->Own(name) : name];
}

storage::Result<bool> ListRun::Slice() {
  const auto until = clock_.Now() + kSlice;
  if (!names_) {
    const auto read = ReadNames();
    if (!read) return tl::unexpected(read.error());
  }
  while (verdicts_.size() < names().size()) {
    Judge(verdicts_.size(), std::min(verdicts_.size() + kNamesBatch, names().size()));
    if (clock_.Now() >= until) return false;
  }
  if (!selected_) Select();
  while (statuses_.size() < by_folder_.size()) {
    const auto read = ReadStatuses();
    if (!read) return tl::unexpected(read.error());
    if (clock_.Now() >= until) return false;
  }
  while (statuses_.size() < by_folder_.size() + foreign_.size()) {
    const auto read = ReadForeignStatus();
    if (!read) return tl::unexpected(read.error());
    if (clock_.Now() >= until) return false;
  }
  names_->Release();
  return true;
}

void ListRun::Judge(std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) {
    const FolderName& name = names()[i];
    Verdict verdict;
    verdict.meets = (query_.subscribed ? name.subscribed : name.named) &&
                    (!query_.special_use || name.use != protocol::SpecialUse::kNone);
    if (verdict.meets || query_.recursive) verdict.matches = query_.Matches(name.path);
    verdicts_.push_back(verdict);
  }
}

void ListRun::Select() {
  selected_ = true;
  const auto& names = this->names();
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
    const bool wanted = !query_.returns.status.empty() && verdict.meets && names[i].id.value != 0;
    if (!wanted) continue;
    const auto* shared = all_ ? all_->Shared(i) : nullptr;
    if (shared == nullptr || shared->rights.Has(storage::Right::kRead))
      (shared == nullptr ? by_folder_ : foreign_).push_back(static_cast<std::uint32_t>(listed_.size() - 1));
  }
  std::ranges::sort(by_folder_, {}, [&](std::uint32_t at) { return names[listed_[at].name].id; });
  statuses_.reserve(by_folder_.size() + foreign_.size());
}

storage::Result<> ListRun::ReadStatuses() {
  const std::size_t first = statuses_.size();
  const std::size_t last = std::min(first + kStatusBatch, by_folder_.size());
  std::vector<storage::FolderId> folders;
  folders.reserve(last - first);
  for (std::size_t i = first; i < last; ++i) folders.push_back(names()[listed_[by_folder_[i]].name].id);
  return names_->Statuses(
      folders, CountsFor(query_.returns.status), [&](const storage::FolderStatus& status) {
        // RFC 4314 §4: STATUS needs `r`.
        if (storage::RightsOfHost(status.owner_rights, session_.actor()).Has(storage::Right::kRead))
          listed_[by_folder_[statuses_.size()]].status = static_cast<std::uint32_t>(statuses_.size());
        statuses_.push_back(status);
      });
}

storage::Result<> ListRun::ReadForeignStatus() {
  Listed& listed = listed_[foreign_[statuses_.size() - by_folder_.size()]];
  const storage::FolderRef ref = MailboxOf(listed.name).ref;
  const auto& items = query_.returns.status;
  const bool unseen = std::ranges::find(items, protocol::StatusItem::kUnseen) != items.end();
  const auto counts = CountsFor(items);
  const auto status =
      unseen ? store_.GetFolderFor(ref, session_.principal().account, counts) : store_.GetFolder(ref, counts);
  if (!status && status.error().code != storage::Errc::kNoSuchFolder &&
      status.error().code != storage::Errc::kNoSuchAccount)
    return tl::unexpected(status.error());
  // Of one that has gone meanwhile nothing is told.
  if (status) listed.status = static_cast<std::uint32_t>(statuses_.size());
  statuses_.push_back(status ? *status : storage::FolderStatus{});
  return {};
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
    if (listed.meets && names()[listed.name].id.value != 0) {
      const auto read = WriteMetadata(out, listed.name);
      if (!read) return tl::unexpected(read.error());
    }
    if (clock_.Now() < until) continue;
    ++written_;
    break;
  }
  return written_ == listed_.size();
}

// RFC 9590 §3: one METADATA after the LIST of each mailbox, NIL for what has no value.
storage::Result<> ListRun::WriteMetadata(std::string& out, std::uint32_t name) const {
  const storage::AnnotationQuery query{.entries = query_.returns.metadata, .max_size = {}};
  const Mailbox mailbox = MailboxOf(name);
  const auto answer = store_.GetAnnotations(mailbox.ref, query, session_.account(), mailbox.actor);
  if (!answer) {
    const auto code = answer.error().code;
    // Deleted meanwhile, or not to be read by this user.
    if (code == storage::Errc::kNoSuchFolder || code == storage::Errc::kNoPermission) return {};
    return tl::unexpected(answer.error());
  }
  protocol::write::MetadataLine line(out, names()[name].path);
  for (const auto& annotation : answer->found) line.Add(annotation.entry, annotation.value);
  line.End();
  return {};
}

void ListRun::WriteList(std::string& out, const Listed& listed) const {
  const FolderName& name = names()[listed.name];
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
  if (query_.returns.my_rights && listed.meets && there)
    protocol::write::MyRightsLine(out, name.path, RightsOf(listed.name));
  if (listed.status) WriteStatus(out, name.path, query_.returns.status, statuses_[*listed.status], options_);
}

void ListRun::WriteLsub(std::string& out, const Listed& listed) const {
  const FolderName& name = names()[listed.name];
  Attributes attributes;
  if (!listed.meets || name.id.value == 0) attributes.Add("\\Noselect");
  protocol::write::LsubLine(out, attributes, name.path);
}

}  // namespace server::imap::list
