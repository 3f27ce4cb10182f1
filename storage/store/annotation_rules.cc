#include "storage/store/annotation_rules.h"

#include <array>

#include <fmt/format.h>

#include "protocol/model/ascii.h"
#include "storage/store/model_rules.h"

namespace storage {
namespace {

using protocol::ascii::EqualNoCase;

enum class Of { kServer, kFolder };
enum class Setter {
  kNobody,    ///< the store alone
  kOperator,  ///< the operator's API
  kPf,        ///< also the Participating Function (spec note 3.3)
};
using Compute = std::optional<std::string> (*)(const AnnotationScope&);

std::optional<std::string> Unless(std::string_view nothing, std::string_view value) {
  if (value == nothing) return std::nullopt;
  return std::string(value);
}

std::string_view KindName(std::uint8_t kind) {
  switch (static_cast<FolderKind>(kind)) {
    case FolderKind::kUser: return "user";
    case FolderKind::kInbox: return "inbox";
    case FolderKind::kDefault: return "default";
    case FolderKind::kConversation: return "conversation";
    case FolderKind::kSession: return "session";
    case FolderKind::kRoot: return "root";
  }
  return "";
}

struct Row {
  KeptEntry entry;
  Of of;
  Setter setter;
  bool by_suffix;   ///< answers under any name that ends like its own
  Compute compute;  ///< nullptr: it has no value but the stored one
};

constexpr std::string_view kCpm = "/shared/vendor/vendor.oma/cpm/";

/// A conversation with one peer goes through many Conversation-IDs.
std::optional<std::string> ConversationId(const AnnotationScope& scope) {
  if (model::IsOneToOne(scope.folder->conversation_id)) return std::nullopt;
  return Unless("", scope.folder->conversation_id);
}

/// Whom the folder stands for, whatever made it and wherever it lies by now. Of a group only its objects
/// know.
std::optional<std::string> Peer(const AnnotationScope& scope) {
  if (!model::IsOneToOne(scope.folder->conversation_id)) return std::nullopt;
  return scope.folder->conversation_id;
}

constexpr std::array kRows{
    Row{{"/shared/admin", true},
        Of::kServer,
        Setter::kNobody,
        false,
        [](const AnnotationScope& s) { return Unless("", s.profile.admin_contact); }},
    Row{{"/shared/comment"}, Of::kServer, Setter::kOperator, false, nullptr},
    Row{{"/shared/vendor/vendor.oma/cpm/DefaultFolderLocation", true},
        Of::kServer,
        Setter::kNobody,
        true,
        [](const AnnotationScope& s) { return Unless("", s.default_folder); }},
    Row{{"/shared/vendor/vendor.oma/cpm/ContributionID", true},
        Of::kFolder,
        Setter::kNobody,
        false,
        [](const AnnotationScope& s) { return Unless("", s.folder->contribution_id); }},
    Row{{"/shared/vendor/vendor.oma/cpm/ConversationID", true},
        Of::kFolder,
        Setter::kNobody,
        false,
        ConversationId},
    Row{{"/shared/vendor/vendor.oma/cpm/FolderKind", true},
        Of::kFolder,
        Setter::kNobody,
        false,
        [](const AnnotationScope& s) { return std::optional(std::string(KindName(s.folder->kind))); }},
    Row{{"/shared/vendor/vendor.oma/cpm/GroupState"}, Of::kFolder, Setter::kPf, true, nullptr},
    Row{{"/shared/vendor/vendor.oma/cpm/Participants"}, Of::kFolder, Setter::kNobody, false, Peer},
    Row{{"/shared/vendor/vendor.oma/cpm/SessionInfo"}, Of::kFolder, Setter::kPf, true, nullptr},
};

std::string_view LastComponent(std::string_view name) { return name.substr(name.rfind('/') + 1); }

Of OfWhat(const AnnotationScope& scope) { return scope.folder == nullptr ? Of::kServer : Of::kFolder; }

const Row* FindRow(const AnnotationScope& scope, std::string_view entry) {
  for (const Row& row : kRows) {
    if (row.of != OfWhat(scope)) continue;
    if (EqualNoCase(row.entry.name, entry)) return &row;
    if (row.by_suffix && EqualNoCase(LastComponent(row.entry.name), LastComponent(entry))) return &row;
  }
  return nullptr;
}

bool MaySet(Setter setter, Role role) {
  switch (setter) {
    case Setter::kNobody: return false;
    case Setter::kOperator: return role == Role::kOperator;
    case Setter::kPf: return role == Role::kOperator || role == Role::kPf;
  }
  return false;
}

/// Names that may become ours, so that a client's value is never taken for the store's.
bool IsReserved(std::string_view entry) { return EqualNoCase(entry.substr(0, kCpm.size()), kCpm); }

}  // namespace

const KeptEntry* FindKept(const AnnotationScope& scope, std::string_view entry) {
  const Row* row = FindRow(scope, entry);
  return row == nullptr ? nullptr : &row->entry;
}

std::optional<std::string> ComputeEntry(const AnnotationScope& scope, const KeptEntry& entry) {
  const Row* row = FindRow(scope, entry.name);
  return row == nullptr || row->compute == nullptr ? std::nullopt : row->compute(scope);
}

std::vector<const KeptEntry*> ComputedEntries(const AnnotationScope& scope) {
  std::vector<const KeptEntry*> out;
  for (const Row& row : kRows) {
    if (row.of == OfWhat(scope) && row.compute != nullptr && row.compute(scope)) out.push_back(&row.entry);
  }
  return out;
}

Result<> CheckMaySet(const AnnotationScope& scope, std::string_view entry, Role role) {
  const Row* row = FindRow(scope, entry);
  if (row == nullptr) {
    if (!IsReserved(entry)) return {};
    return Fail(Errc::kNotAllowed, fmt::format("Entries below {} are kept by the server", kCpm));
  }
  if (MaySet(row->setter, role)) return {};
  switch (row->setter) {
    case Setter::kNobody:
      return Fail(Errc::kNotAllowed, fmt::format("{} is kept by the server and cannot be set", entry));
    case Setter::kOperator:
      return Fail(Errc::kNoPermission, fmt::format("{} of the server is set by its operator", entry));
    case Setter::kPf:
      return Fail(Errc::kNoPermission,
                  fmt::format("{} is kept by the server and the Participating Function", entry));
  }
  return {};
}

}  // namespace storage
