#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "protocol/mime/parts.h"

namespace server::references {

using VisitLeaf = std::function<bool(std::size_t index, const std::vector<std::uint32_t>& at)>;

/// The leaves in their order, each with its index and its numbers as BODY[] has them; an attached message is
/// one. Until `visit` is false, which is the answer then.
bool ForEachLeaf(const protocol::mime::Parts& parts, const VisitLeaf& visit);

}  // namespace server::references
