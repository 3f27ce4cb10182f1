// LIST and LSUB (RFC 3501 §6.3.8, §6.3.9; CHILDREN of RFC 3348, SPECIAL-USE of RFC 6154).
#include <algorithm>
#include <set>
#include <unordered_set>

#include "protocol/imap/write/mailbox.h"
#include "protocol/model/mailbox_name.h"
#include "protocol/model/special_use.h"
#include "server/imap/commands/handlers.h"

namespace server::imap {

using protocol::MatchesListPattern;
using protocol::Ok;

namespace {

using Names = std::unordered_set<std::string_view>;

/// Names that have inferiors. Views into `folders`.
Names Parents(const std::vector<storage::FolderEntry>& folders) {
  Names parents;
  for (const auto& folder : folders) {
    const std::string_view parent = protocol::ParentName(folder.path);
    if (!parent.empty()) parents.insert(parent);
  }
  return parents;
}

void WriteFolder(std::string& out, const storage::FolderEntry& folder, bool has_children) {
  std::vector<std::string_view> attributes;
  if (folder.id.value == 0) attributes.push_back("\\Noselect");
  attributes.push_back(has_children ? "\\HasChildren" : "\\HasNoChildren");
  if (folder.use != protocol::SpecialUse::kNone) attributes.push_back(protocol::Name(folder.use));
  protocol::write::ListLine(out, attributes, folder.path);
}

/// What LSUB answers: each name, and whether a mailbox of that name is subscribed. A name that only has
/// subscribed inferiors below the reach of '%' is answered as \Noselect.
std::map<std::string, bool> LsubNames(const std::vector<std::string>& subscribed, std::string_view pattern) {
  std::map<std::string, bool> answer;
  const bool has_percent = pattern.find('%') != std::string_view::npos;
  for (const std::string& name : subscribed) {
    if (MatchesListPattern(name, pattern)) {
      answer[name] = true;
    } else if (has_percent) {
      for (const std::string_view superior : protocol::MatchingSuperiors(name, pattern)) {
        answer.try_emplace(std::string(superior), false);
      }
    }
  }
  return answer;
}

struct Listed {
  storage::FolderEntry folder;
  bool has_children = false;
};

/// Blocks. Many long names against a long pattern take long: nothing for an event loop.
storage::Result<std::vector<Listed>> ListNow(AuthenticatedContext& ctx, const command::List& cmd) {
  auto folders = ctx.store.ListFolders(ctx.account);
  if (!folders) return tl::unexpected(std::move(folders).error());
  std::vector<std::string> patterns;
  for (const auto& pattern : cmd.patterns) patterns.push_back(cmd.reference + pattern);
  const Names parents = Parents(*folders);
  std::vector<Listed> listed;
  for (const auto& folder : *folders) {
    const bool matches = std::ranges::any_of(
        patterns, [&](const std::string& pattern) { return MatchesListPattern(folder.path, pattern); });
    if (matches) listed.push_back({folder, parents.contains(folder.path)});
  }
  return listed;
}

/// Blocks likewise. LSUB's lines.
storage::Result<std::string> LsubNow(AuthenticatedContext& ctx, const command::Lsub& cmd) {
  const auto subscribed = ctx.store.ListSubscriptions(ctx.account);
  if (!subscribed) return tl::unexpected(subscribed.error());
  const auto folders = ctx.store.ListFolders(ctx.account);
  if (!folders) return tl::unexpected(folders.error());
  std::set<std::string_view> selectable;
  for (const auto& folder : *folders) {
    if (folder.id.value != 0) selectable.insert(folder.path);
  }
  std::string lines;
  for (const auto& [name, is_subscribed] : LsubNames(*subscribed, cmd.reference + cmd.pattern)) {
    std::vector<std::string_view> attributes;
    if (!is_subscribed || !selectable.contains(name)) attributes.push_back("\\Noselect");
    protocol::write::LsubLine(lines, attributes, name);
  }
  return lines;
}

}  // namespace

asio::awaitable<Reply> Handle(const command::List& cmd, AuthenticatedContext& ctx) {
  const bool only_root = cmd.patterns.size() == 1 && cmd.patterns.front().empty();
  if (only_root) {
    protocol::write::ListRootLine(ctx.out, "");
    co_return Ok("LIST completed");
  }
  auto list = [&] { return ListNow(ctx, cmd); };
  const auto listed = co_await ctx.storage.Run(list);
  if (!listed) co_return ctx.Failed(listed.error());
  for (const auto& [folder, has_children] : *listed) {
    WriteFolder(ctx.out, folder, has_children);
    if (!ctx.wire.out.Full()) continue;
    const bool flushed = co_await ctx.wire.out.Flush();
    if (!flushed) break;
  }
  co_return Ok("LIST completed");
}

asio::awaitable<Reply> Handle(const command::Lsub& cmd, AuthenticatedContext& ctx) {
  auto list = [&] { return LsubNow(ctx, cmd); };
  const auto lines = co_await ctx.storage.Run(list);
  if (!lines) co_return ctx.Failed(lines.error());
  ctx.out += *lines;
  co_return Ok("LSUB completed");
}

}  // namespace server::imap
