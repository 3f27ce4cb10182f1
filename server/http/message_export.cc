#include <algorithm>

#include "protocol/model/mailbox_name.h"
#include "server/http/account_json.h"
#include "server/http/message_frame.h"
#include "server/http/object_json.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

/// What one visit to the store collects: a page's worth of messages, each whole if it is small.
constexpr std::size_t kPageMessages = 256;
constexpr std::uint64_t kPageOctets = 1 << 20;
constexpr std::uint64_t kSmall = 256 * 1024;

struct Exported {
  MessageFrame frame;
  storage::ObjectId object;
  std::optional<std::string> octets;  ///< if it is small
};

struct Page {
  std::vector<Exported> messages;
  bool last = false;
};

storage::Result<Page> ReadPage(storage::MailStore& store, storage::FolderRef folder, storage::Uid from) {
  const auto reader = store.Read(folder, storage::Actor({}, storage::Role::kOperator));
  if (!reader) return tl::unexpected(reader.error());
  const storage::UidSet rest(from, protocol::kMaxUid);

  Page page;
  page.last = true;
  std::uint64_t octets = 0;
  const auto take = [&](storage::Uid uid, const storage::MessageRow& row) {
    if (page.messages.size() == kPageMessages || octets >= kPageOctets) {
      page.last = false;
      return false;
    }
    page.messages.push_back({{row.size, uid, row.internal_date, {}}, row.object, std::nullopt});
    octets += row.size <= kSmall ? row.size : 0;
    return true;
  };
  if (auto done = reader->Rows(rest, take); !done) return tl::unexpected(std::move(done).error());
  if (page.messages.empty()) return page;

  const storage::UidSet taken(*page.messages.front().frame.uid, *page.messages.back().frame.uid);
  auto message = page.messages.begin();
  const auto note = [&](const storage::MessageState& state) {
    while (message != page.messages.end() && *message->frame.uid < state.uid) ++message;
    if (message != page.messages.end() && *message->frame.uid == state.uid)
      message->frame.flags = ToFlagSet(state.flags, *reader->keywords());
  };
  if (auto done = reader->States(taken, note); !done) return tl::unexpected(std::move(done).error());

  for (auto& one : page.messages) {
    if (one.frame.size > kSmall) continue;
    auto body = reader->Octets(one.object, 0, one.frame.size);
    if (!body) return tl::unexpected(std::move(body).error());
    one.octets = *std::move(body);
  }
  return page;
}

/// A large message, piece by piece. False: the answer cannot be completed.
asio::awaitable<bool> SendLarge(Call& call, Services& services, storage::AccountId account,
                                const Exported& message) {
  const auto source = services.store.OpenBody(account, message.object, message.frame.size);
  const auto announcement = Encode(message.frame);
  std::vector<char> space(kSmall);
  std::uint64_t offset = 0;
  while (offset < message.frame.size) {
    auto read = [&] { return source->Read(offset, space); };
    const auto got = co_await services.storage.Run(read);
    if (got <= 0) co_return false;
    const std::string_view piece(space.data(), static_cast<std::size_t>(got));
    // The first piece proves that the message is still there; only then it is announced.
    bool sent = true;
    if (offset == 0) sent = co_await call.Write(announcement);
    if (sent) sent = co_await call.Write(piece);
    if (!sent) co_return false;
    offset += piece.size();
  }
  co_return true;
}

asio::awaitable<bool> SendPage(Call& call, Services& services, storage::AccountId account, const Page& page) {
  std::string out;
  for (const auto& message : page.messages) {
    if (message.octets) {
      out += Encode(message.frame);
      out += *message.octets;
      continue;
    }
    bool sent = co_await call.Write(out);
    out.clear();
    if (sent) sent = co_await SendLarge(call, services, account, message);
    if (!sent) co_return false;
  }
  const bool sent = co_await call.Write(out);
  co_return sent;
}

}  // namespace

asio::awaitable<void> ExportMessages(Call& call, Services& services) {
  const auto path = protocol::CanonicalMailboxName(call.Query("folder").value_or("INBOX"));
  const auto from = call.NumberQuery("from", 1, 0xffffffffULL);
  if (!from || *from == 0) {
    Refusal refusal{Status::bad_request, "invalid_argument", "\"from\" must be a UID"};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto get = [&] {
    return services.store.GetFolder(account->id, path, storage::Actor({}, storage::Role::kOperator));
  };
  auto folder = co_await services.storage.Run(get);
  if (!folder) {
    co_await call.Fail(std::move(folder).error());
    co_return;
  }

  bool sending = co_await call.StartStream(std::string(kMessageStreamType));
  storage::Uid next{static_cast<std::uint32_t>(*from)};
  while (sending) {
    auto read = [&] { return ReadPage(services.store, folder->ref, next); };
    const auto page = co_await services.storage.Run(read);
    // An answer under way can only be broken off: the missing last chunk tells the caller.
    if (!page) co_return;
    sending = co_await SendPage(call, services, account->id, *page);
    if (page->last || page->messages.back().frame.uid == protocol::kMaxUid) break;
    next.value = page->messages.back().frame.uid->value + 1;
  }
  if (sending) [[maybe_unused]]
    const bool ended = co_await call.EndStream();
}

}  // namespace server::http
