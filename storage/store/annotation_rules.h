#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/schema/rows.h"
#include "storage/store/change_feed.h"
#include "storage/store/profile.h"

/// The METADATA entries that the store keeps itself: which there are, where their values come from, who may
/// set them. Nothing else decides that.
namespace storage {

/// What an entry is about: the server, or the folder of this row.
struct AnnotationScope {
  const Profile& profile;
  const schema::FolderRow* folder = nullptr;  ///< null: the server
  std::string default_folder = {};            ///< of the account; for the server's entries to be read
};

/// An entry that the store keeps.
struct KeptEntry {
  std::string_view name;  ///< canonical; its value, if it is stored, is under this name
  bool computed = false;  ///< nothing is ever stored: ComputeEntry() or no value
};

/// Of the server: DefaultFolderLocation, /shared/admin, /shared/comment. Of a folder: FolderKind,
/// ConversationID, ContributionID, Participants, SessionInfo, GroupState. The CPM ones are below
/// /shared/vendor/vendor.oma/cpm. As the specification's full path of DefaultFolderLocation, SessionInfo and
/// GroupState is not known, any entry whose last component is one of these names is that entry (spec note
/// 3.3). nullptr: an ordinary entry.
const KeptEntry* FindKept(const AnnotationScope& scope, std::string_view entry);

/// Those of this scope that have a computed value.
std::vector<const KeptEntry*> ComputedEntries(const AnnotationScope& scope);

/// Comes before a stored value; nullopt: it has no computed value here.
std::optional<std::string> ComputeEntry(const AnnotationScope& scope, const KeptEntry& entry);

/// kNoPermission: others may set it; kNotAllowed: nobody may. Both with a sentence.
Result<> CheckMaySet(const AnnotationScope& scope, std::string_view entry, Role role);

}  // namespace storage
