#include "server/imap/command_table.h"

#include <algorithm>

namespace server::imap {

bool IsUidForm(const protocol::Command& command) {
  return std::visit(
      [](const auto& cmd) {
        using Cmd = std::decay_t<decltype(cmd)>;
        if constexpr (requires { cmd.numbers; }) {
          return cmd.numbers == protocol::NumberKind::kUid;
        } else if constexpr (requires { cmd.search; }) {
          return cmd.search.numbers == protocol::NumberKind::kUid;
        } else if constexpr (std::is_same_v<Cmd, command::Expunge>) {
          return cmd.uids.has_value();
        } else {
          return false;
        }
      },
      command);
}

namespace {

bool NamesNumbers(const protocol::SearchKey& key) {
  if (key.op == protocol::SearchKey::Op::kSequenceSet) return !key.set.saved_result;
  return std::ranges::any_of(key.children, NamesNumbers);
}

}  // namespace

bool NamesNumbers(const protocol::Command& command) {
  return std::visit(
      [&](const auto& cmd) {
        using Cmd = std::decay_t<decltype(cmd)>;
        if constexpr (std::is_same_v<Cmd, command::Search>) {
          return cmd.numbers == protocol::NumberKind::kSequence || NamesNumbers(cmd.key);
        } else if constexpr (requires { cmd.search; }) {
          return cmd.search.numbers == protocol::NumberKind::kSequence || NamesNumbers(cmd.search.key);
        } else if constexpr (requires { cmd.numbers; }) {
          return cmd.numbers == protocol::NumberKind::kSequence;
        } else if constexpr (requires { cmd.parameters.qresync; }) {
          return cmd.parameters.qresync && cmd.parameters.qresync->match;
        } else {
          return false;
        }
      },
      command);
}

Reply UidRequired() {
  return protocol::Bad(protocol::ResponseCode::kUidRequired,
                       "Message numbers are not used after ENABLE UIDONLY: use the UID commands and UIDs");
}

bool IsForSubmit(const CommandRow& row) {
  static constexpr std::array<std::string_view, 4> kHarmless{"URLFETCH", "ENABLE", "COMPRESS", "NAMESPACE"};
  return row.needs == Needs::kAnything || row.needs == Needs::kNoLogin ||
         std::ranges::find(kHarmless, row.name) != kHarmless.end();
}

bool MayTellExpunge(const protocol::Command& command) {
  if (RowOf(command).expunge == Expunge::kAlways) return true;
  if (!IsUidForm(command)) return false;
  // RFC 7162 §3.2.10.2: numbers must mean the same from the command to its answer.
  const auto* search = std::get_if<command::Search>(&command);
  return search == nullptr || !NamesNumbers(search->key);
}

}  // namespace server::imap
