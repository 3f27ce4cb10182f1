#include "server/references/leaves.h"

namespace server::references {
namespace {

bool ForEachLeaf(const protocol::mime::Parts& parts, std::size_t index, std::vector<std::uint32_t>& at,
                 const VisitLeaf& visit) {
  const auto& part = parts[index];
  if (part.kind != protocol::mime::PartKind::kMultipart)
    return visit(index, at.empty() ? std::vector<std::uint32_t>{1} : at);
  at.push_back(0);
  bool more = true;
  for (std::size_t child = index + 1; more && child < index + part.subtree; child += parts[child].subtree) {
    ++at.back();
    more = ForEachLeaf(parts, child, at, visit);
  }
  at.pop_back();
  return more;
}

}  // namespace

bool ForEachLeaf(const protocol::mime::Parts& parts, const VisitLeaf& visit) {
  std::vector<std::uint32_t> at;
  return ForEachLeaf(parts, 0, at, visit);
}

}  // namespace server::references
