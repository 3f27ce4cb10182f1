#pragma once

#include "server/http/call.h"
#include "server/http/services.h"
#include "storage/store/account.h"

namespace server::http {

/// The WebSocket form of GET .../changes: what has changed after `since` if anything has, and again each time
/// that something does, a text message each, until either side closes. A caller that takes its time is told
/// of more at once. REQUIRES: call.WantsSocket().
asio::awaitable<void> TellChanges(Call& call, Services& services, storage::AccountId account,
                                  storage::ModSeq since);

}  // namespace server::http
