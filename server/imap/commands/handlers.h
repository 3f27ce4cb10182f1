#pragma once

#include "protocol/imap/command.h"
#include "protocol/imap/reply.h"
#include "server/imap/context.h"

/// Every command's handler. A handler writes its untagged answers into `ctx.out` and returns the tagged one;
/// it never reports EXISTS or EXPUNGE, Session does that after it. The command and the context live until it
/// has returned.
namespace server::imap {

namespace command = protocol::command;
using protocol::Reply;

asio::awaitable<Reply> Handle(const command::Capability& cmd, AnyContext& ctx);
asio::awaitable<Reply> Handle(const command::Noop& cmd, AnyContext& ctx);
asio::awaitable<Reply> Handle(const command::Logout& cmd, AnyContext& ctx);
asio::awaitable<Reply> Handle(const command::Id& cmd, AnyContext& ctx);

asio::awaitable<Reply> Handle(const command::StartTls& cmd, NotAuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Compress& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Authenticate& cmd, NotAuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Login& cmd, NotAuthenticatedContext& ctx);

asio::awaitable<Reply> Handle(const command::Unauthenticate& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Enable& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Select& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Examine& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Create& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Delete& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Rename& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Subscribe& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Unsubscribe& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::List& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Lsub& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Namespace& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Status& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Idle& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::GetMetadata& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::SetMetadata& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::Notify& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::ResetKey& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::GenUrlAuth& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::UrlFetch& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::GetQuota& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::GetQuotaRoot& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::SetQuota& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::SetAcl& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::DeleteAcl& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::GetAcl& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::ListRights& cmd, AuthenticatedContext& ctx);
asio::awaitable<Reply> Handle(const command::MyRights& cmd, AuthenticatedContext& ctx);

asio::awaitable<Reply> Handle(const command::Check& cmd, SelectedContext& ctx);
asio::awaitable<Reply> Handle(const command::Close& cmd, SelectedContext& ctx);
asio::awaitable<Reply> Handle(const command::Unselect& cmd, SelectedContext& ctx);
asio::awaitable<Reply> Handle(const command::Expunge& cmd, SelectedContext& ctx);
asio::awaitable<Reply> Handle(const command::Search& cmd, SelectedContext& ctx);
asio::awaitable<Reply> Handle(const command::Sort& cmd, SelectedContext& ctx);
asio::awaitable<Reply> Handle(const command::Thread& cmd, SelectedContext& ctx);
asio::awaitable<Reply> Handle(const command::Fetch& cmd, SelectedContext& ctx);
asio::awaitable<Reply> Handle(const command::Store& cmd, SelectedContext& ctx);
asio::awaitable<Reply> Handle(const command::Copy& cmd, SelectedContext& ctx);
asio::awaitable<Reply> Handle(const command::Move& cmd, SelectedContext& ctx);
asio::awaitable<Reply> Handle(const command::CancelUpdate& cmd, SelectedContext& ctx);

}  // namespace server::imap
