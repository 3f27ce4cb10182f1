#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <boost/json/object.hpp>

#include "storage/store/mail_store.h"

namespace server::http {

/// Some objects of one folder in UID order, as JSON.
struct ObjectPage {
  std::vector<boost::json::object> objects;
  std::optional<storage::Uid> next;  ///< nullopt: these were the last
};

/// Those of `which`, at most `most` and about 1 MiB. One visit to the store: blocks.
storage::Result<ObjectPage> ReadObjectPage(storage::MailStore& store, storage::FolderRef folder,
                                           const storage::UidSet& which, std::size_t most);

/// Some objects of one kind, by folder id and UID.
struct KindPage {
  std::vector<boost::json::object> objects;
  std::optional<storage::FoundMessage> next;  ///< nullopt: these were the last
};

/// Those from `from` on, in all folders or in `only`, at most `most` and about 1 MiB. What goes away
/// meanwhile is left out. Blocks.
storage::Result<KindPage> ReadKindPage(storage::MailStore& store, storage::AccountId account,
                                       protocol::ObjectKind kind, storage::FoundMessage from,
                                       std::optional<storage::FolderId> only, std::size_t most);

}  // namespace server::http
