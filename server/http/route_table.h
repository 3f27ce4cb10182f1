#pragma once

#include <array>
#include <string_view>

#include "server/http/resources.h"
#include "server/http/url.h"

namespace server::http {

/// Who has connected: the socket decides.
enum class Caller {
  kOperator,  ///< over the Unix socket: everything but what is for visitors
  kMonitor,   ///< over TCP: what is marked so
  kVisitor,   ///< over TLS: the reference service
};

/// Whom a route is for.
enum class For {
  kOperator,
  kMonitor,  ///< and the operator
  kVisitor,
};

struct Route {
  Verb verb;
  std::string_view pattern;
  For whom;
  asio::awaitable<void> (*run)(Call&, Services&);
  std::string_view query = kAnyNames;  ///< names that it may have: FaultOfQuery() (url.h)
};

inline constexpr std::array kRoutes = {
    Route{Verb::get, "/health", For::kMonitor, Health},
    Route{Verb::get, "/metrics", For::kMonitor, Metrics},
    Route{Verb::get, "/v1/accounts", For::kOperator, ListAccounts},
    Route{Verb::post, "/v1/accounts", For::kOperator, CreateAccount},
    Route{Verb::post, "/v1/accounts:load", For::kOperator, LoadAccounts},
    Route{Verb::get, "/v1/accounts/{address}", For::kOperator, ShowAccount},
    Route{Verb::delete_, "/v1/accounts/{address}", For::kOperator, DeleteAccount},
    Route{Verb::put, "/v1/accounts/{address}/password", For::kOperator, SetPassword},
    Route{Verb::put, "/v1/accounts/{address}/status", For::kOperator, SetAccountStatus},
    Route{Verb::get, "/v1/accounts/{address}/folders", For::kOperator, ListFolders},
    Route{Verb::put, "/v1/accounts/{address}/folders", For::kOperator, EnsureFolder},
    Route{Verb::delete_, "/v1/accounts/{address}/folders", For::kOperator, DeleteFolder},
    Route{Verb::post, "/v1/accounts/{address}/folders:move", For::kOperator, MoveFolder},
    Route{Verb::get, "/v1/accounts/{address}/changes", For::kOperator, ListChanges},
    Route{Verb::get, "/v1/accounts/{address}/conversations", For::kOperator, ListConversations},
    Route{Verb::get, "/v1/accounts/{address}/conversation", For::kOperator, ShowConversation},
    Route{Verb::get, "/v1/accounts/{address}/objects", For::kOperator, GetObjects},
    Route{Verb::delete_, "/v1/accounts/{address}/objects", For::kOperator, DeleteObject},
    Route{Verb::get, "/v1/accounts/{address}/messages", For::kOperator, ExportMessages},
    Route{Verb::post, "/v1/accounts/{address}/messages", For::kOperator, ImportMessages},
    Route{Verb::post, "/v1/accounts/{address}/record", For::kOperator, RecordEvent},
    Route{Verb::get, "/v1/accounts/{address}/metadata", For::kOperator, GetMetadata},
    Route{Verb::put, "/v1/accounts/{address}/metadata", For::kOperator, SetMetadata},
    Route{Verb::get, "/v1/accounts/{address}/acl", For::kOperator, GetAcl},
    Route{Verb::put, "/v1/accounts/{address}/acl", For::kOperator, SetAcl},
    Route{Verb::delete_, "/v1/accounts/{address}/acl", For::kOperator, DeleteAcl},
    Route{Verb::get, "/v1/accounts/{address}/rights", For::kOperator, GetRights},
    Route{Verb::get, "/v1/accounts/{address}/references", For::kOperator, ListAccountReferences},
    Route{Verb::post, "/v1/accounts/{address}/references", For::kOperator, CreateAccountReferences},
    Route{Verb::get, "/v1/accounts/{address}/references/{id}", For::kOperator, ShowAccountReference},
    Route{Verb::delete_, "/v1/accounts/{address}/references/{id}", For::kOperator, RevokeAccountReference},
    Route{Verb::get, "/v1/accounts/{address}/references/{id}/data", For::kOperator, FetchAccountReference},
    Route{Verb::delete_, "/v1/accounts/{address}/url-keys", For::kOperator, ResetAccountKeys},
    Route{Verb::get, "/v1/accounts/{address}/quota", For::kOperator, GetQuota},
    Route{Verb::patch, "/v1/accounts/{address}/quota", For::kOperator, ChangeQuota},
    Route{Verb::get, "/v1/accounts/{address}/pf", For::kOperator, ShowPf},
    Route{Verb::patch, "/v1/accounts/{address}/pf", For::kOperator, ChangePf},
    Route{Verb::get, "/v1/pfs", For::kOperator, ListPfs},
    Route{Verb::get, "/v1/psks", For::kOperator, ListPsks},
    Route{Verb::post, "/v1/psks", For::kOperator, AddPsk},
    Route{Verb::delete_, "/v1/psks/{identity}", For::kOperator, RevokePsk},
    Route{Verb::get, "/v1/sessions", For::kOperator, ListSessions},
    Route{Verb::delete_, "/v1/sessions", For::kOperator, KickSessions},
    Route{Verb::delete_, "/v1/sessions/{id}", For::kOperator, KickSession},
    Route{Verb::get, "/v1/store/stats", For::kOperator, StoreStats},
    Route{Verb::post, "/v1/references", For::kVisitor, CreateReferences, ""},
    Route{Verb::get, "/v1/references", For::kVisitor, ListReferences, "account after limit"},
    Route{Verb::get, "/v1/references/{token}", For::kVisitor, GetReference, "encoding"},
    Route{Verb::head, "/v1/references/{token}", For::kVisitor, GetReference, "encoding"},
    Route{Verb::delete_, "/v1/references/{token}", For::kVisitor, RevokeReference, "account"},
    Route{Verb::post, "/v1/messages/resolve", For::kVisitor, ResolveMessage, "account"},
    Route{Verb::post, "/v1/messages/externalize", For::kVisitor, ExternalizeMessage,
          "account folder parts min_octets audience expires one_time hash url"},
    Route{Verb::get, "/v1/openapi.yaml", For::kVisitor, OpenApi},
    Route{Verb::head, "/v1/openapi.yaml", For::kVisitor, OpenApi},
};

/// Finds the call's route and runs it; 404, or 405 if only the verb is wrong.
asio::awaitable<void> Dispatch(Call& call, Services& services, Caller caller);

}  // namespace server::http
