#include "server/imap/commands/append_intake.h"

#include <algorithm>
#include <utility>

namespace server::imap {

using storage::StagedBody;

void AppendIntake::Begin(const protocol::command::AppendMessage& message) {
  if (!messages_.empty()) {
    const Incoming& finished = messages_.back();
    finished_in_memory_ += finished.held.size() + (finished.body ? finished.body->in_memory() : 0);
  }
  Incoming& incoming = messages_.emplace_back();
  incoming.flags = message.flags;
  incoming.date = message.date;
  incoming.held.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(message.size, StagedBody::kChunk)));
}

void AppendIntake::Fail(protocol::Reply reply) {
  failure_ = std::move(reply);
  messages_.clear();
}

void AppendIntake::Fail(const storage::Error& error) { Fail(session_.Failed(error, Folder::kTarget)); }

bool AppendIntake::TakeInMemory(std::string_view octets) {
  if (failure_) return true;
  if (finished_in_memory_ > kHeldAtMost) return false;
  Incoming& message = messages_.back();
  if (message.body) {
    if (!message.body->FitsInMemory(octets.size())) return false;
    const auto written = message.body->Write(octets);
    if (!written) Fail(written.error());
    return true;
  }
  if (message.held.size() + octets.size() > StagedBody::kChunk) return false;
  message.held.append(octets);
  return true;
}

void AppendIntake::TakeBlocking(std::string_view octets) {
  if (failure_) return;
  if (finished_in_memory_ > kHeldAtMost) {
    const auto sealed = SealFinished();
    if (!sealed) return Fail(sealed.error());
  }
  const auto staged = Stage(messages_.back(), octets);
  if (!staged) Fail(staged.error());
}

storage::Result<> AppendIntake::SealFinished() {
  for (; first_unsealed_ + 1 < messages_.size(); ++first_unsealed_) {
    Incoming& message = messages_[first_unsealed_];
    auto done = Stage(message, {});
    if (done) done = message.body->Seal();
    if (!done) return done;
  }
  finished_in_memory_ = 0;
  return {};
}

storage::Result<> AppendIntake::Stage(Incoming& message, std::string_view octets) {
  if (!message.body) {
    auto body = store_.Stage(session_.account());
    if (!body) return tl::unexpected(body.error());
    message.body.emplace(*std::move(body));
    const auto written = message.body->Write(message.held);
    if (!written) return written;
    std::string().swap(message.held);
  }
  return message.body->Write(octets);
}

storage::Result<storage::AppendResult> AppendIntake::Commit(std::optional<storage::Uid> replaced) {
  std::vector<storage::NewMessage> messages;
  messages.reserve(messages_.size());
  for (Incoming& incoming : messages_) {
    const auto staged = Stage(incoming, {});
    if (!staged) return tl::unexpected(staged.error());
    messages.push_back({*std::move(incoming.body), std::move(incoming.flags), incoming.date});
  }
  if (replaced) {
    return store_.Replace(session_.selected()->view->folder(), *replaced, mailbox_,
                          std::move(messages.front()), session_.actor());
  }
  return store_.Append(session_.account(), mailbox_, std::move(messages), session_.actor());
}

}  // namespace server::imap
