#pragma once

#include <boost/json/object.hpp>

#include "storage/store/mail_store.h"

namespace server::http {

/// {"accounts", "folders", "messages", "octets", "engine": {...}}: what `store stats` prints, of a running or
/// a stopped store. Reads every account's row; blocks.
storage::Result<boost::json::object> CountStore(storage::MailStore& store);

}  // namespace server::http
