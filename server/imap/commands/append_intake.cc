#include "server/imap/commands/append_intake.h"

#include <algorithm>
#include <utility>

namespace server::imap {

using protocol::No;
using protocol::ResponseCode;
using storage::StagedBody;

void AppendIntake::Begin(const protocol::command::AppendMessage& message) {
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
  Incoming& message = messages_.back();
  if (message.body) {
    if (!message.body->FitsInMemory(octets.size())) return false;
    const auto written = message.body->Write(octets);
    if (!written) Fail(written.error());
    return true;
  }
  if (message.held.size() + octets.size() > StagedBody::kChunk) return false;
  in_memory_ += octets.size();
  if (in_memory_ > kHeldAtMost) {
    Fail(No(ResponseCode::kLimit, "Too many messages in one APPEND: send fewer at once"));
    return true;
  }
  message.held.append(octets);
  return true;
}

void AppendIntake::TakeBlocking(std::string_view octets) {
  if (failure_) return;
  Incoming& message = messages_.back();
  const auto staged = Stage(message, octets);
  if (!staged) Fail(staged.error());
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

storage::Result<storage::AppendResult> AppendIntake::Commit() {
  std::vector<storage::NewMessage> messages;
  messages.reserve(messages_.size());
  for (Incoming& incoming : messages_) {
    const auto staged = Stage(incoming, {});
    if (!staged) return tl::unexpected(staged.error());
    messages.push_back({*std::move(incoming.body), std::move(incoming.flags), incoming.date});
  }
  return store_.Append(session_.account(), mailbox_, std::move(messages), session_.origin());
}

}  // namespace server::imap
