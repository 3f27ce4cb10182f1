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

/// Also as a WebSocket.
asio::awaitable<void> ListChanges(Call& call, Services& services);
asio::awaitable<void> ListConversations(Call& call, Services& services);
asio::awaitable<void> ShowConversation(Call& call, Services& services);
asio::awaitable<void> GetObjects(Call& call, Services& services);
asio::awaitable<void> DeleteObject(Call& call, Services& services);

asio::awaitable<void> ImportMessages(Call& call, Services& services);
asio::awaitable<void> ExportMessages(Call& call, Services& services);
asio::awaitable<void> RecordEvent(Call& call, Services& services);
asio::awaitable<void> GetMetadata(Call& call, Services& services);
asio::awaitable<void> SetMetadata(Call& call, Services& services);

asio::awaitable<void> GetAcl(Call& call, Services& services);
asio::awaitable<void> SetAcl(Call& call, Services& services);
asio::awaitable<void> DeleteAcl(Call& call, Services& services);
asio::awaitable<void> GetRights(Call& call, Services& services);

/// References: as the operator sees them, and on the face for visitors.
asio::awaitable<void> CreateAccountReferences(Call& call, Services& services);
asio::awaitable<void> ListAccountReferences(Call& call, Services& services);
asio::awaitable<void> ShowAccountReference(Call& call, Services& services);
asio::awaitable<void> FetchAccountReference(Call& call, Services& services);
asio::awaitable<void> RevokeAccountReference(Call& call, Services& services);
asio::awaitable<void> ResetAccountKeys(Call& call, Services& services);
asio::awaitable<void> CreateReferences(Call& call, Services& services);
asio::awaitable<void> ListReferences(Call& call, Services& services);
asio::awaitable<void> GetReference(Call& call, Services& services);
asio::awaitable<void> RevokeReference(Call& call, Services& services);
asio::awaitable<void> ResolveMessage(Call& call, Services& services);
asio::awaitable<void> ExternalizeMessage(Call& call, Services& services);
asio::awaitable<void> OpenApi(Call& call, Services& services);

asio::awaitable<void> GetQuota(Call& call, Services& services);
asio::awaitable<void> ChangeQuota(Call& call, Services& services);
asio::awaitable<void> ListPfs(Call& call, Services& services);
asio::awaitable<void> ShowPf(Call& call, Services& services);
asio::awaitable<void> ChangePf(Call& call, Services& services);
asio::awaitable<void> ListPsks(Call& call, Services& services);
asio::awaitable<void> AddPsk(Call& call, Services& services);
asio::awaitable<void> RevokePsk(Call& call, Services& services);

asio::awaitable<void> ListSessions(Call& call, Services& services);
asio::awaitable<void> KickSession(Call& call, Services& services);
asio::awaitable<void> KickSessions(Call& call, Services& services);

asio::awaitable<void> StoreStats(Call& call, Services& services);

}  // namespace server::http
