#include "server/imap/commands/progress.h"

#include "protocol/imap/reply.h"

namespace server::imap {

bool Progress::Tell(std::uint64_t done, std::uint64_t goal) {
  const auto time = session_.services().clock.Now();
  if (time - told_ < kEvery) return false;
  told_ = time;
  const protocol::ResponseCode::InProgress code{std::string(session_.tag()), static_cast<std::uint32_t>(done),
                                                static_cast<std::uint32_t>(goal)};
  protocol::WriteUntagged(session_.wire().out.text(), protocol::Ok(code, "Still at work"));
  return true;
}

}  // namespace server::imap
