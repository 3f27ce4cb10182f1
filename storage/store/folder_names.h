#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/model/rights.h"
#include "storage/kv/engine.h"
#include "storage/store/change_feed.h"
#include "storage/store/folder.h"
#include "storage/store/profile.h"

namespace storage {

/// Which names are read.
struct NamesScope {
  std::string prefix;          ///< those that begin so
  bool subscriptions = false;  ///< the subscribed names too, and the superiors of each
};

/// One name. Its superiors stand before it, its inferiors follow it at once.
struct FolderName {
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::string_view path;
  std::uint32_t superior = kNone;  ///< index of the nearest one that is here; kNone from FindName()
  FolderId id;                     ///< zero: there is no folder of this name
  FolderKind kind = FolderKind::kUser;
  protocol::SpecialUse use = protocol::SpecialUse::kNone;
  bool named =
      false;  ///< a folder, or the superior of one; false: only subscribed, or superior of such a name
  bool has_children = false;  ///< folders below it
  bool subscribed = false;    ///< known if NamesScope asks for it
};

/// An account's names as of one moment, and what the folders' rows say at that moment.
///
/// Lifetime: one command's first hops on the storage pool; never held while a client is awaited, but for the
///           names after Release(). The store outlives it until then.
/// Thread: one at a time; calls block.
class FolderNames {
 public:
  const std::vector<FolderName>& names() const { return names_; }

  /// What the rows of folders say. `folders` are ascending and exist in this view; `visit` is called in their
  /// order, with what a STATUS tells: no path, no ids.
  using StatusVisitor = std::function<void(const FolderStatus&)>;
  Result<> Statuses(std::span<const FolderId> folders, const StatusCounts& counts,
                    const StatusVisitor& visit) const;

  /// What the actor, who is no guest, may do with each; of names without a folder nothing.
  Result<std::vector<protocol::Rights>> ReadRights(const Profile& profile, const Actor& actor) const;

  /// Gives up the view; the names stay.
  void Release() { view_.reset(); }

 private:
  friend class MailStore;
  FolderNames(std::unique_ptr<kv::View> view, AccountId account)
      : view_(std::move(view)),
        account_(account),
        arena_(std::make_unique<std::pmr::monotonic_buffer_resource>(std::size_t{16} * 1024)) {}
  Result<> ReadAll(const NamesScope& scope);
  Result<> ReadSubscriptions(const std::string& first, const std::string& end,
                             std::vector<std::string_view>& out) const;
  std::span<char> Keep(std::string_view octets) const;
  FolderName& Add(std::string_view on_disk);
  void AddSubscribed(std::string_view on_disk);
  std::uint32_t SuperiorOf(std::string_view path) const;
  Result<> ReadStatus(std::string_view value, FolderId folder, const StatusCounts& counts,
                      const StatusVisitor& visit) const;

  std::unique_ptr<kv::View> view_;
  AccountId account_;
  std::unique_ptr<std::pmr::monotonic_buffer_resource> arena_;  ///< the names' octets
  std::vector<FolderName> names_;
};

}  // namespace storage
