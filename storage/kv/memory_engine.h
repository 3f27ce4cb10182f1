#pragma once

#include "storage/kv/engine.h"

namespace storage::kv {

/// An engine in memory, for tests of what stands on the seam: ordered maps that keep the old versions of a
/// row for as long as a view may look at them. Every batch is "durable" until the engine is destroyed;
/// nothing ever fails but CheckLimits.
std::unique_ptr<Engine> NewMemoryEngine();

}  // namespace storage::kv
