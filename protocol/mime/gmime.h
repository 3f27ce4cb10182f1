#pragma once

namespace protocol::mime {

/// Before any use of GMime; any number of times, from any thread.
void InitGMime();

}  // namespace protocol::mime
