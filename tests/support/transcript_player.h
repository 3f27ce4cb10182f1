#pragma once

#include <optional>
#include <string>

#include "tests/support/transcript_script.h"
#include "tests/support/transcript_server.h"

namespace tests::transcript {

/// Plays `script` against `server`. Nullopt: everything came as written; else what did not, after the dialog
/// so far.
std::optional<std::string> Play(const Script& script, Server& server);

/// Whether the script can be played against a server that is not in this process.
bool NeedsLocalServer(const Script& script);

}  // namespace tests::transcript
