#pragma once

#include "server/http/call.h"
#include "server/http/services.h"

/// The resources, one file each. A resource answers its call; it never throws for what a caller sends.
namespace server::http {

asio::awaitable<void> Health(Call& call, Services& services);
asio::awaitable<void> Metrics(Call& call, Services& services);

asio::awaitable<void> ListAccounts(Call& call, Services& services);
asio::awaitable<void> CreateAccount(Call& call, Services& services);
asio::awaitable<void> LoadAccounts(Call& call, Services& services);
asio::awaitable<void> ShowAccount(Call& call, Services& services);
asio::awaitable<void> SetPassword(Call& call, Services& services);
asio::awaitable<void> SetAccountStatus(Call& call, Services& services);
asio::awaitable<void> DeleteAccount(Call& call, Services& services);

asio::awaitable<void> ListFolders(Call& call, Services& services);
asio::awaitable<void> EnsureFolder(Call& call, Services& services);
asio::awaitable<void> MoveFolder(Call& call, Services& services);
asio::awaitable<void> DeleteFolder(Call& call, Services& services);

asio::awaitable<void> ListConversations(Call& call, Services& services);
asio::awaitable<void> ShowConversation(Call& call, Services& services);
asio::awaitable<void> GetObjects(Call& call, Services& services);
asio::awaitable<void> DeleteObject(Call& call, Services& services);

asio::awaitable<void> ImportMessages(Call& call, Services& services);
asio::awaitable<void> ExportMessages(Call& call, Services& services);
asio::awaitable<void> RecordEvent(Call& call, Services& services);
asio::awaitable<void> GetMetadata(Call& call, Services& services);
asio::awaitable<void> SetMetadata(Call& call, Services& services);

asio::awaitable<void> StoreStats(Call& call, Services& services);

}  // namespace server::http
