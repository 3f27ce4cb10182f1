#pragma once

#include <array>
#include <string_view>

#include "server/http/resources.h"

namespace server::http {

/// Who has connected: the socket decides.
enum class Caller {
  kOperator,  ///< over the Unix socket: everything
  kMonitor,   ///< over TCP: what is marked so
};

struct Route {
  Verb verb;
  std::string_view pattern;
  bool for_monitor;
  asio::awaitable<void> (*run)(Call&, Services&);
};

inline constexpr std::array kRoutes = {
    Route{Verb::get, "/health", true, Health},
    Route{Verb::get, "/metrics", true, Metrics},
    Route{Verb::get, "/v1/accounts", false, ListAccounts},
    Route{Verb::post, "/v1/accounts", false, CreateAccount},
    Route{Verb::post, "/v1/accounts:load", false, LoadAccounts},
    Route{Verb::get, "/v1/accounts/{address}", false, ShowAccount},
    Route{Verb::delete_, "/v1/accounts/{address}", false, DeleteAccount},
    Route{Verb::put, "/v1/accounts/{address}/password", false, SetPassword},
    Route{Verb::put, "/v1/accounts/{address}/status", false, SetAccountStatus},
    Route{Verb::get, "/v1/accounts/{address}/folders", false, ListFolders},
    Route{Verb::put, "/v1/accounts/{address}/folders", false, EnsureFolder},
    Route{Verb::delete_, "/v1/accounts/{address}/folders", false, DeleteFolder},
    Route{Verb::post, "/v1/accounts/{address}/folders:move", false, MoveFolder},
    Route{Verb::get, "/v1/accounts/{address}/conversations", false, ListConversations},
    Route{Verb::get, "/v1/accounts/{address}/conversation", false, ShowConversation},
    Route{Verb::get, "/v1/accounts/{address}/objects", false, GetObjects},
    Route{Verb::delete_, "/v1/accounts/{address}/objects", false, DeleteObject},
    Route{Verb::get, "/v1/accounts/{address}/messages", false, ExportMessages},
    Route{Verb::post, "/v1/accounts/{address}/messages", false, ImportMessages},
    Route{Verb::post, "/v1/accounts/{address}/record", false, RecordEvent},
    Route{Verb::get, "/v1/accounts/{address}/metadata", false, GetMetadata},
    Route{Verb::put, "/v1/accounts/{address}/metadata", false, SetMetadata},
    Route{Verb::get, "/v1/store/stats", false, StoreStats},
};

/// Finds the call's route and runs it; 404, or 405 if only the verb is wrong.
asio::awaitable<void> Dispatch(Call& call, Services& services, Caller caller);

}  // namespace server::http
