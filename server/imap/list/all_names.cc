#include "server/imap/list/all_names.h"

#include <algorithm>

#include "protocol/model/mailbox_name.h"
#include "server/imap/mailbox_place.h"

namespace server::imap::list {

using protocol::kHierarchyDelimiter;
using storage::FolderName;

namespace {

bool IsInferior(std::string_view path, std::string_view superior) {
  return path.size() > superior.size() && path[superior.size()] == kHierarchyDelimiter &&
         path.starts_with(superior);
}

}  // namespace

/// Inferiors follow their superior at once: '/' before all else.
bool AllNames::PathOrder::operator()(std::string_view a, std::string_view b) const {
  const auto rank = [](char c) { return c == kHierarchyDelimiter ? 0 : static_cast<unsigned char>(c); };
  return std::ranges::lexicographical_compare(a, b, {}, rank, rank);
}

AllNames::AllNames(const std::vector<FolderName>& own, std::vector<storage::SharedFolder> shared,
                   bool superiors)
    : shared_(std::move(shared)) {
  AddOwn(own);
  for (const auto& folder : shared_) {
    const std::string name = ForeignName(folder.owner, folder.path);
    foreign_[name].shared = &folder;
    for (std::string_view above = protocol::ParentName(name); !above.empty();
         above = protocol::ParentName(above))
      foreign_[std::string(above)].superior = true;
  }
  AddForeign(superiors);
}

void AllNames::AddOwn(const std::vector<FolderName>& own) {
  std::vector<std::uint32_t> moved(own.size(), FolderName::kNone);
  for (std::size_t i = 0; i < own.size(); ++i) {
    const FolderName& name = own[i];
    if (IsForeign(name.path)) {
      foreign_[std::string(name.path)].subscribed = name.subscribed;
      continue;
    }
    moved[i] = static_cast<std::uint32_t>(names_.size());
    names_.push_back(name);
    own_.push_back(i);
    if (name.superior != FolderName::kNone) names_.back().superior = moved[name.superior];
  }
  first_foreign_ = names_.size();
}

void AllNames::AddForeign(bool superiors) {
  for (const auto& [path, what] : foreign_) {
    FolderName name{.path = path};
    // Among the last name added and its superiors.
    if (names_.size() > first_foreign_) name.superior = static_cast<std::uint32_t>(names_.size() - 1);
    while (name.superior != FolderName::kNone && !IsInferior(path, names_[name.superior].path))
      name.superior = names_[name.superior].superior;
    if (what.shared != nullptr) {
      name.id = what.shared->ref.folder;
      name.use = what.shared->use;
    }
    name.named = what.shared != nullptr || (what.superior && superiors);
    name.subscribed = what.subscribed;
    if ((what.shared != nullptr || what.superior) && name.superior != FolderName::kNone)
      names_[name.superior].has_children = true;
    names_.push_back(name);
    folders_.push_back(what.shared);
  }
}

const storage::SharedFolder* AllNames::Shared(std::size_t index) const {
  return index < first_foreign_ ? nullptr : folders_[index - first_foreign_];
}

}  // namespace server::imap::list
