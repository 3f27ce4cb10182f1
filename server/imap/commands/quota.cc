// GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208). An account is a quota root, and its address is the root's
// name.
#include "protocol/imap/write/quota.h"

#include <algorithm>
#include <array>

#include "server/imap/commands/handlers.h"
#include "server/short_read.h"

namespace server::imap {

using protocol::No;
using protocol::Ok;
using protocol::QuotaResource;
using protocol::ResponseCode;

namespace {

struct Root {
  std::string name;
  storage::Quota quota;
};

/// How the store says what a resource is.
struct Resource {
  QuotaResource resource;
  std::uint64_t storage::QuotaUse::* use;
  std::optional<std::uint64_t> storage::QuotaLimits::* limit;
  std::uint64_t unit = 1;
};

constexpr std::array<Resource, 4> kResources{{
    {QuotaResource::kStorage, &storage::QuotaUse::octets, &storage::QuotaLimits::octets,
     protocol::kQuotaUnit},
    {QuotaResource::kMessage, &storage::QuotaUse::messages, &storage::QuotaLimits::messages},
    {QuotaResource::kMailbox, &storage::QuotaUse::folders, &storage::QuotaLimits::folders},
    {QuotaResource::kAnnotationStorage, &storage::QuotaUse::annotation_octets,
     &storage::QuotaLimits::annotation_octets, protocol::kQuotaUnit},
}};

/// Rounded up, use and limit alike, so that use within the limit is told as such.
std::uint64_t InUnits(std::uint64_t number, std::uint64_t unit) {
  return number / unit + (number % unit != 0 ? 1 : 0);
}

/// RFC 9208 §4.2.1: resources without a limit are not named. Two of ours always have one.
void WriteQuota(std::string& out, const Root& root) {
  protocol::write::QuotaLine line(out, root.name);
  for (const auto& each : kResources) {
    const auto& limit = root.quota.limits.*each.limit;
    if (limit)
      line.Add(each.resource, InUnits(root.quota.use.*each.use, each.unit), InUnits(*limit, each.unit));
  }
  line.End();
}

storage::Result<Root> Read(AuthenticatedContext& ctx, storage::AccountId account, std::string name) {
  auto quota = ctx.store.GetQuota(account);
  if (!quota) return tl::unexpected(std::move(quota).error());
  return Root{std::move(name), *quota};
}

/// The account whose name this is: the session's own, or another's with a mailbox that the session may read,
/// as GETQUOTAROOT would tell it too (RFC 9208 §6); nullopt: none of these, which may not be told apart.
storage::Result<std::optional<storage::AccountId>> FindRoot(AuthenticatedContext& ctx,
                                                            std::string_view name) {
  if (name == ctx.session.user()) return std::optional(ctx.account);
  const auto shared = ctx.session.ListShared();
  if (!shared) return tl::unexpected(shared.error());
  const auto readable = std::ranges::find_if(*shared, [&](const storage::SharedFolder& folder) {
    return folder.owner == name && folder.rights.Has(storage::Right::kRead);
  });
  if (readable == shared->end()) return std::optional<storage::AccountId>();
  return std::optional(readable->ref.account);
}

Reply NoSuchRoot() {
  return No(ResponseCode::kNonExistent, "No such quota root; GETQUOTAROOT tells those of a mailbox");
}

storage::QuotaLimits LimitsIn(const command::SetQuota& cmd) {
  storage::QuotaLimits limits;
  for (const auto& [resource, limit] : cmd.limits) {
    for (const auto& each : kResources) {
      // RFC 9208 §3.2: a limit may be rounded. More octets than that nobody counts.
      if (each.resource == resource)
        limits.*each.limit = std::min(limit, storage::kMaxQuota / each.unit) * each.unit;
    }
  }
  return limits;
}

}  // namespace

asio::awaitable<Reply> Handle(const command::GetQuota& cmd, AuthenticatedContext& ctx) {
  auto read = [&]() -> storage::Result<std::optional<Root>> {
    const auto account = FindRoot(ctx, cmd.root);
    if (!account) return tl::unexpected(account.error());
    if (!*account) return std::optional<Root>();
    return Read(ctx, **account, cmd.root);
  };
  const auto root = co_await RunShort(ctx.storage, read);
  if (!root) co_return ctx.Failed(root.error());
  if (!*root) co_return NoSuchRoot();
  WriteQuota(ctx.out, **root);
  co_return Ok("GETQUOTA completed");
}

asio::awaitable<Reply> Handle(const command::GetQuotaRoot& cmd, AuthenticatedContext& ctx) {
  auto read = [&]() -> storage::Result<Root> {
    const auto place = ctx.Find(cmd.mailbox);
    if (!place) return tl::unexpected(place.error());
    if (place->account == ctx.account) return Read(ctx, ctx.account, ctx.session.user());
    // RFC 9208 §6: use of another's account is for who may read the mailbox, so it must be there.
    const auto mailbox =
        ctx.store.GetFolder(place->account, place->path, place->actor, storage::Right::kRead);
    if (!mailbox) return tl::unexpected(mailbox.error());
    auto owner = ctx.store.GetAccount(place->account);
    if (!owner) return tl::unexpected(std::move(owner).error());
    return Read(ctx, place->account, std::move(owner->address));
  };
  const auto root = co_await RunShort(ctx.storage, read);
  if (!root) co_return ctx.Failed(root.error());
  protocol::write::QuotaRootLine(ctx.out, cmd.mailbox, root->name);
  WriteQuota(ctx.out, *root);
  co_return Ok("GETQUOTAROOT completed");
}

asio::awaitable<Reply> Handle(const command::SetQuota& cmd, AuthenticatedContext& ctx) {
  if (!ctx.session.MaySetQuota())
    co_return No(ResponseCode::kNoPerm, "Quotas are set by the operator of this server");
  if (cmd.root != ctx.session.user()) co_return NoSuchRoot();
  const bool unknown = std::ranges::any_of(cmd.limits, [](const auto& limit) { return !limit.resource; });
  if (unknown) {
    co_return No(ResponseCode::kCannot,
                 "No such resource; limits can be set on STORAGE, MESSAGE, MAILBOX and ANNOTATION-STORAGE");
  }
  auto set = [&]() -> storage::Result<Root> {
    auto done = ctx.store.SetQuota(ctx.account, LimitsIn(cmd));
    if (!done) return tl::unexpected(std::move(done).error());
    return Read(ctx, ctx.account, cmd.root);
  };
  const auto root = co_await ctx.storage.Run(set);
  if (!root) co_return ctx.Failed(root.error());
  WriteQuota(ctx.out, *root);
  co_return Ok("SETQUOTA completed");
}

}  // namespace server::imap
