#include "protocol/imap/write/sort.h"

#include <vector>

#include "protocol/imap/limits.h"
#include "protocol/imap/write/string.h"

namespace protocol::write {

// thread-list    = "(" (thread-members / thread-nested) ")"
// thread-members = nz-number *(SP nz-number) [SP thread-nested]
// thread-nested  = 2*thread-list
void ThreadLine(std::string& out, std::span<const ThreadMember> members) {
  constexpr auto kNone = ThreadMember::kNoParent;
  std::vector<std::uint32_t> children(members.size());
  for (const auto& member : members) {
    if (member.parent != kNone) ++children[member.parent];
  }
  out += "* THREAD";
  if (!members.empty()) out += ' ';
  std::vector<std::uint32_t> depth(members.size());  // lists around each member
  std::size_t open = 0;                              // lists that are not closed yet
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& member = members[i];
    const std::uint32_t around = member.parent == kNone ? 0 : depth[member.parent];
    const bool begins = member.parent == kNone || children[member.parent] > 1;
    if (!begins) {
      out += ' ';  // an only child follows its parent in the same list
      depth[i] = around;
    } else {
      const std::size_t keep = around < limits::kThreadNesting ? around : limits::kThreadNesting - 1;
      const bool first_below = open == keep;
      for (; open > keep; --open) out += ')';
      // The parent's number stands before its first list.
      if (first_below && member.parent != kNone && members[member.parent].number != 0) out += ' ';
      out += '(';
      open = keep + 1;
      depth[i] = static_cast<std::uint32_t>(open);
    }
    if (member.number != 0) Number(out, member.number);
  }
  out.append(open, ')');
  out += "\r\n";
}

}  // namespace protocol::write
