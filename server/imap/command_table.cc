#include "server/imap/command_table.h"

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

}  // namespace server::imap
