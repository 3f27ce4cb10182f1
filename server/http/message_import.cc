#include <fmt/format.h>

#include "protocol/model/mailbox_name.h"
#include "server/http/account_json.h"
#include "server/http/message_frame.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

/// Messages that share one transaction, and so one sync: few enough for a batch of the store.
constexpr std::size_t kBatchMessages = 100;
constexpr std::uint64_t kBatchOctets = 4 << 20;
constexpr std::size_t kReadSize = 64 * 1024;

/// Takes frames and octets off a call's body.
class FrameReader {
 public:
  explicit FrameReader(Call& call) : call_(call), space_(kReadSize) {}

  /// The next line; empty at the end of the body; nullopt: too long, or the connection is gone.
  asio::awaitable<std::optional<std::string>> Line() {
    std::string line;
    for (;;) {
      const auto end = held_.find('\n');
      line += held_.substr(0, end);
      if (end != std::string_view::npos) {
        held_.remove_prefix(end + 1);
        co_return line;
      }
      held_ = {};
      if (line.size() > kMaxFrameLine) co_return std::nullopt;
      const bool more = co_await Fill();
      if (!more) co_return broken_ || !line.empty() ? std::nullopt : std::optional(std::string());
    }
  }

  /// Between 1 and `most` octets; empty: the body ended or the connection is gone. The view lives until the
  /// next call.
  asio::awaitable<std::string_view> Octets(std::uint64_t most) {
    if (held_.empty()) {
      const bool more = co_await Fill();
      if (!more) co_return std::string_view();
    }
    const auto taken = held_.substr(0, most);
    held_.remove_prefix(taken.size());
    co_return taken;
  }

  bool broken() const { return broken_; }

 private:
  asio::awaitable<bool> Fill() {
    const auto got = co_await call_.ReadSome(space_);
    broken_ = !got;
    held_ = std::string_view(space_.data(), got.value_or(0));
    co_return !held_.empty();
  }

  Call& call_;
  std::vector<char> space_;
  std::string_view held_;
  bool broken_ = false;
};

/// One import: reads messages, appends them in batches.
class Import {
 public:
  Import(Call& call, Services& services, storage::AccountId account, std::string folder)
      : services_(services), account_(account), folder_(std::move(folder)), reader_(call) {}

  /// Nothing: all is in the store.
  asio::awaitable<std::optional<Refusal>> Run() {
    for (;;) {
      const auto line = co_await reader_.Line();
      if (line && line->empty()) break;
      const auto frame = line ? DecodeFrame(*line) : std::nullopt;
      if (!frame) co_return Bad("is not announced as it should be");
      auto refusal = co_await ReadMessage(*frame);
      if (!refusal && (batch_.size() >= kBatchMessages || batch_octets_ >= kBatchOctets))
        refusal = co_await Append();
      if (refusal) co_return refusal;
    }
    auto refusal = co_await Append();
    co_return refusal;
  }

  std::uint64_t imported() const { return imported_; }

 private:
  Refusal Bad(std::string_view what) const {
    return {Status::bad_request, "invalid_argument", fmt::format("Message {} {}", read_ + 1, what)};
  }
  Refusal Refused(const storage::Error& error) const {
    const std::string why = error.detail.empty() ? "The store refused" : error.detail;
    return {Status::conflict, "not_imported",
            imported_ == 0 ? why : fmt::format("After {} messages: {}", imported_, why)};
  }

  asio::awaitable<std::optional<Refusal>> ReadMessage(const MessageFrame& frame) {
    if (frame.size > services_.append_limit) co_return Bad("is over the limit for messages");
    auto stage = [&] { return services_.store.Stage(account_); };
    auto body = co_await services_.storage.Run(stage);
    if (!body) co_return Refused(body.error());
    while (body->size() < frame.size) {
      const auto octets = co_await reader_.Octets(frame.size - body->size());
      if (octets.empty()) co_return Bad("is shorter than announced");
      auto write = [&] { return body->Write(octets); };
      storage::Result<> written;
      if (body->FitsInMemory(octets.size())) {
        written = write();
      } else {
        written = co_await services_.storage.Run(write);
      }
      if (!written) co_return Refused(written.error());
    }
    ++read_;
    batch_octets_ += frame.size;
    batch_.push_back({*std::move(body), frame.flags, frame.date});
    co_return std::nullopt;
  }

  asio::awaitable<std::optional<Refusal>> Append() {
    if (batch_.empty()) co_return std::nullopt;
    const auto count = batch_.size();
    auto append = [&] {
      return services_.store.Append(account_, folder_, std::move(batch_),
                                    storage::Actor({}, storage::Role::kOperator));
    };
    const auto appended = co_await services_.storage.Run(append);
    batch_.clear();
    batch_octets_ = 0;
    if (!appended) co_return Refused(appended.error());
    imported_ += count;
    co_return std::nullopt;
  }

  Services& services_;
  const storage::AccountId account_;
  const std::string folder_;
  FrameReader reader_;
  std::vector<storage::NewMessage> batch_;
  std::uint64_t batch_octets_ = 0;
  std::uint64_t read_ = 0;
  std::uint64_t imported_ = 0;
};

}  // namespace

asio::awaitable<void> ImportMessages(Call& call, Services& services) {
  const auto folder = protocol::CanonicalMailboxName(call.Query("folder").value_or("INBOX"));
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  Import import(call, services, account->id, folder);
  auto refusal = co_await import.Run();
  if (refusal) {
    co_await call.Fail(*std::move(refusal));
    co_return;
  }
  boost::json::object body;
  body["imported"] = import.imported();
  co_await call.Reply(Status::ok, std::move(body));
}

}  // namespace server::http
