#include "server/imap/audit.h"

#include <algorithm>
#include <type_traits>

#include <fmt/format.h>

#include "server/imap/commands/resolve.h"
#include "server/imap/list/list_query.h"
#include "server/imap/mailbox_place.h"

namespace server::imap {
namespace {

namespace command = protocol::command;

/// The line stays readable; a set may have thousands of ranges.
constexpr std::size_t kMaxMessages = 1000;

std::string Text(const UidSet& uids) {
  std::string out;
  for (const auto& range : uids.ranges()) {
    if (!out.empty()) out += ',';
    out += range.first == range.last ? fmt::format("{}", range.first.value)
                                     : fmt::format("{}:{}", range.first.value, range.last.value);
    if (out.size() > kMaxMessages) return out + ",...";
  }
  return out;
}

std::string Uids(const MailboxView* view, protocol::NumberKind numbers, const protocol::SequenceSet& set) {
  if (view == nullptr) return {};
  const auto uids = Resolve(*view, numbers, set);
  return uids ? Text(*uids) : std::string();  // else the reply will say that there are no such messages
}

std::string_view Name(protocol::Reply::Status status) {
  switch (status) {
    case protocol::Reply::Status::kOk: return "OK";
    case protocol::Reply::Status::kNo: return "NO";
    case protocol::Reply::Status::kBad: return "BAD";
    default: return "BYE";
  }
}

/// Others' mailboxes may come into it though none is named.
template <typename Cmd>
bool MayReachOthers(const Cmd& cmd) {
  if constexpr (std::is_same_v<Cmd, command::List> || std::is_same_v<Cmd, command::Lsub>) {
    return list::Query(cmd).MayMatchBelow(kOtherUsers);
  } else if constexpr (std::is_same_v<Cmd, command::Notify>) {
    return cmd.set;  // also of what is selected later on
  } else {
    return false;
  }
}

}  // namespace

void Audit::Concerns(std::string_view owner) {
  if (owner.empty() || owner == who_.account) return;
  if (std::ranges::find(owners_, owner) == owners_.end()) owners_.emplace_back(owner);
}

void Audit::Begin(const protocol::Command& any, const MailboxView* view) {
  selecting_.clear();
  messages_.clear();
  folder_.clear();
  owners_.clear();
  parts_.clear();
  uids_ = leaves_ = false;
  std::visit(
      [&](const auto& cmd) {
        using Cmd = std::decay_t<decltype(cmd)>;
        if constexpr (requires {
                        cmd.numbers;
                        cmd.set;
                      }) {
          uids_ = cmd.numbers == protocol::NumberKind::kUid;
          messages_ = Uids(view, cmd.numbers, cmd.set);
        }
        if constexpr (requires { cmd.search; }) uids_ = cmd.search.numbers == protocol::NumberKind::kUid;
        if constexpr (std::is_same_v<Cmd, command::Search>) uids_ = cmd.numbers == protocol::NumberKind::kUid;
        if constexpr (std::is_same_v<Cmd, command::Expunge>) {
          uids_ = cmd.uids.has_value();
          if (cmd.uids) messages_ = Uids(view, protocol::NumberKind::kUid, *cmd.uids);
        }
        if constexpr (std::is_same_v<Cmd, command::Copy> || std::is_same_v<Cmd, command::Move>) {
          folder_ = selected_ + " -> " + cmd.mailbox;
          Concerns(OwnerIn(selected_));
          Concerns(OwnerIn(cmd.mailbox));
        } else if constexpr (std::is_same_v<Cmd, command::Rename>) {
          folder_ = cmd.from + " -> " + cmd.to;
          Concerns(OwnerIn(cmd.from));
          Concerns(OwnerIn(cmd.to));
        } else if constexpr (requires { std::string_view(cmd.mailbox); }) {
          folder_ = cmd.mailbox;
          Concerns(OwnerIn(cmd.mailbox));
        } else if (view != nullptr) {
          folder_ = selected_;
          Concerns(OwnerIn(selected_));
        }
        if constexpr (requires { std::string_view(cmd.root); }) Concerns(cmd.root);
        if (as_itself_ && owners_.empty() && MayReachOthers(cmd)) {
          folder_ = kOtherUsers;
          owners_.push_back(who_.account);
        }
        if constexpr (std::is_same_v<Cmd, command::Select> || std::is_same_v<Cmd, command::Examine>)
          selecting_ = cmd.mailbox;
        leaves_ = std::is_same_v<Cmd, command::Close> || std::is_same_v<Cmd, command::Unselect>;
      },
      any);
}

void Audit::Begin(const command::AppendBegin& append, const MailboxView* view) {
  selecting_.clear();
  leaves_ = false;
  folder_ = append.mailbox;
  messages_.clear();
  owners_.clear();
  parts_.clear();
  Concerns(OwnerIn(append.mailbox));
  if (append.replaces) Concerns(OwnerIn(selected_));
  uids_ = append.replaces && append.replaces->numbers == protocol::NumberKind::kUid;
  if (append.replaces) messages_ = Uids(view, append.replaces->numbers, append.replaces->message);
}

void Audit::Reads(std::string owner, std::string folder, storage::Uid uid) {
  parts_.push_back({std::move(owner), std::move(folder), fmt::format("{}", uid.value)});
}

void Audit::End(std::string_view name, const protocol::Reply& reply) {
  const bool ok = reply.status == protocol::Reply::Status::kOk;
  auth::Act act = who_;
  act.command = uids_ ? "UID " + std::string(name) : std::string(name);
  act.folder = folder_;
  act.messages = messages_;
  act.outcome = std::string(Name(reply.status)) + " ";
  protocol::Write(act.outcome, reply.code);
  act.outcome.pop_back();
  if (!as_itself_) log_.Write(act);
  for (const auto& owner : owners_) {
    act.account = owner;
    log_.Write(act);
  }
  for (const auto& part : parts_) {
    act.account = part.owner;
    act.folder = part.folder;
    act.messages = part.uid;
    log_.Write(act);
  }
  // RFC 3501 §6.3.1: a SELECT that fails leaves nothing selected.
  if (!selecting_.empty()) selected_ = ok ? selecting_ : std::string();
  if (leaves_ && ok) selected_.clear();
}

}  // namespace server::imap
