#pragma once

#include "server/http/call.h"
#include "storage/error.h"

namespace server::http {

/// The only translation of the store's errors into HTTP. The operator may read `detail`, so it is the message
/// where there is one.
Refusal RefusalFor(const storage::Error& error);

}  // namespace server::http
