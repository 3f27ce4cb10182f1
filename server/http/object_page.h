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

/// Those from UID `from` on, at most `most` and about 1 MiB. One visit to the store: blocks.
storage::Result<ObjectPage> ReadObjectPage(storage::MailStore& store, storage::FolderRef folder,
                                           storage::Uid from, std::size_t most);

}  // namespace server::http
