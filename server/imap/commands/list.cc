// LIST and LSUB (RFC 3501 §6.3.8, §6.3.9; CHILDREN of RFC 3348, SPECIAL-USE of RFC 6154).
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

/// The superiors of `name`, outermost last.
std::vector<std::string_view> Superiors(std::string_view name) {
  std::vector<std::string_view> out;
  for (auto parent = protocol::ParentName(name); !parent.empty(); parent = protocol::ParentName(parent)) {
    out.push_back(parent);
  }
  return out;
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
      for (const std::string_view superior : Superiors(name)) {
        if (MatchesListPattern(superior, pattern)) answer.try_emplace(std::string(superior), false);
      }
    }
  }
  return answer;
}

}  // namespace

asio::awaitable<Reply> Handle(const command::List& cmd, AuthenticatedContext& ctx) {
  const bool only_root = cmd.patterns.size() == 1 && cmd.patterns.front().empty();
  if (only_root) {
    protocol::write::ListRootLine(ctx.out, "");
    co_return Ok("LIST completed");
  }
  auto read = [&] { return ctx.store.ListFolders(ctx.account); };
  const auto folders = co_await ctx.storage.Run(read);
  if (!folders) co_return ctx.Failed(folders.error());

  const Names parents = Parents(*folders);
  std::vector<std::string> patterns;
  for (const auto& pattern : cmd.patterns) patterns.push_back(cmd.reference + pattern);
  for (const auto& folder : *folders) {
    bool matches = false;
    for (const auto& pattern : patterns) matches = matches || MatchesListPattern(folder.path, pattern);
    if (!matches) continue;
    WriteFolder(ctx.out, folder, parents.contains(folder.path));
    if (!ctx.wire.out.Full()) continue;
    const bool flushed = co_await ctx.wire.out.Flush();
    if (!flushed) break;
  }
  co_return Ok("LIST completed");
}

asio::awaitable<Reply> Handle(const command::Lsub& cmd, AuthenticatedContext& ctx) {
  auto read = [&] { return ctx.store.ListSubscriptions(ctx.account); };
  const auto subscribed = co_await ctx.storage.Run(read);
  if (!subscribed) co_return ctx.Failed(subscribed.error());
  auto list = [&] { return ctx.store.ListFolders(ctx.account); };
  const auto folders = co_await ctx.storage.Run(list);
  if (!folders) co_return ctx.Failed(folders.error());

  std::set<std::string_view> selectable;
  for (const auto& folder : *folders) {
    if (folder.id.value != 0) selectable.insert(folder.path);
  }
  for (const auto& [name, is_subscribed] : LsubNames(*subscribed, cmd.reference + cmd.pattern)) {
    std::vector<std::string_view> attributes;
    if (!is_subscribed || !selectable.contains(name)) attributes.push_back("\\Noselect");
    protocol::write::LsubLine(ctx.out, attributes, name);
  }
  co_return Ok("LSUB completed");
}

}  // namespace server::imap
