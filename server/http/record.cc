// POST /v1/accounts/{address}/record: an event of the network, described in README.md.
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "protocol/imap/object_id.h"
#include "server/http/account_json.h"
#include "server/http/error_map.h"
#include "server/http/event_json.h"
#include "server/http/multipart.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

using Step = MultipartReader::Step;

constexpr std::size_t kReadSize = 64 * 1024;

Refusal Bad(std::string message) { return {Status::bad_request, "invalid_argument", std::move(message)}; }

/// Reads one request: the description, then the files, which go to the store as they come.
class EventUpload {
 public:
  EventUpload(Call& call, Services& services, const storage::AccountInfo& account)
      : call_(call), services_(services), account_(account.id), quota_(account.quota.octets) {}

  /// A refusal, also of a body that ended early.
  asio::awaitable<std::optional<Refusal>> Run() {
    const auto boundary = BoundaryOf(call_.content_type());
    std::optional<Refusal> refusal;
    if (boundary) {
      refusal = co_await ReadMultipart(*boundary);
    } else {
      refusal = co_await ReadJsonBody();
    }
    if (refusal) co_return refusal;
    if (!described_) co_return Bad("The multipart has no part: the first is the event, as JSON");
    while (content_ < request_.awaits_file.size() && !request_.awaits_file[content_]) ++content_;
    if (content_ < request_.awaits_file.size())
      co_return Bad(
          fmt::format("contents[{}] has no text, and no part of the request brings a file for it", content_));
    refusal = co_await StageTexts();
    co_return refusal;
  }

  storage::Event TakeEvent() { return std::move(request_.event); }

 private:
  asio::awaitable<std::optional<Refusal>> ReadJsonBody() {
    std::string space(kReadSize, '\0');
    for (;;) {
      const auto got = co_await call_.ReadSome(space);
      if (!got) co_return Bad("The body ends early");
      if (*got == 0) break;
      description_.append(space, 0, *got);
      if (description_.size() > kMaxEventJson) co_return TooLong();
    }
    co_return ReadDescription();
  }

  asio::awaitable<std::optional<Refusal>> ReadMultipart(const std::string& boundary) {
    MultipartReader reader(boundary);
    std::string space(kReadSize, '\0');
    for (;;) {
      const Step step = reader.Next();
      std::optional<Refusal> refusal;
      if (step == Step::kEnd) break;
      if (step == Step::kBad) co_return Bad(fmt::format("The multipart cannot be read: {}", reader.fault()));
      if (step == Step::kNeedMore) {
        const auto got = co_await call_.ReadSome(space);
        if (got.value_or(0) == 0) co_return Bad("The multipart ends before its last boundary");
        reader.Feed(std::string_view(space).substr(0, *got));
      } else if (step == Step::kPart) {
        refusal = co_await BeginPart(reader.head());
      } else if (step == Step::kOctets) {
        refusal = co_await Take(reader.octets());
      } else if (!described_) {
        refusal = ReadDescription();
      } else {
        ++content_;
      }
      if (refusal) co_return refusal;
    }
    // What follows the last boundary is nobody's, but the caller is still sending it.
    co_await call_.Drain();
    co_return std::nullopt;
  }

  static Refusal TooLong() {
    return {Status::payload_too_large, "too_big",
            fmt::format("The event's description holds at most {} octets", kMaxEventJson)};
  }

  std::optional<Refusal> ReadDescription() {
    boost::system::error_code error;
    const auto json = boost::json::parse(description_, error);
    if (error || !json.is_object())
      return Refusal{Status::bad_request, "not_json", "The event must be described by a JSON object"};
    auto read = ReadEvent(json.get_object());
    if (auto* refusal = std::get_if<Refusal>(&read)) return std::move(*refusal);
    request_ = std::get<EventRequest>(std::move(read));
    described_ = true;
    return std::nullopt;
  }

  asio::awaitable<std::optional<Refusal>> BeginPart(const PartHead& head) {
    if (!described_) {
      if (!head.name.empty() && head.name != "event") co_return Bad("The first part must be named \"event\"");
      co_return std::nullopt;
    }
    while (content_ < request_.awaits_file.size() && !request_.awaits_file[content_]) ++content_;
    if (content_ == request_.awaits_file.size())
      co_return Bad(fmt::format("There are more files than the {} contents without text", request_.files()));
    auto refusal = co_await StageFile();
    co_return refusal;
  }

  /// The body of the content that is next.
  asio::awaitable<std::optional<Refusal>> StageFile() {
    auto stage = [&] { return services_.store.Stage(account_); };
    auto body = co_await services_.storage.Run(stage);
    if (!body) co_return RefusalFor(body.error());
    files_.resize(request_.awaits_file.size());
    files_[content_] = *std::move(body);
    co_return std::nullopt;
  }

  asio::awaitable<std::optional<Refusal>> Take(std::string_view octets) {
    if (!described_) {
      description_ += octets;
      if (description_.size() > kMaxEventJson) co_return TooLong();
      co_return std::nullopt;
    }
    octets_ += octets.size();
    if (octets_ > services_.append_limit) {
      co_return Refusal{Status::payload_too_large, "too_big",
                        fmt::format("The files of an event hold at most {} octets", services_.append_limit)};
    }
    // More than will ever fit; whether the rest does is decided when it is recorded: it may be known already.
    if (quota_ && octets_ > *quota_) {
      co_return RefusalFor({storage::Errc::kOverQuota,
                            fmt::format("the account may hold {} octets, and the files have more", *quota_)});
    }
    auto& body = *files_[content_];
    auto write = [&] { return body.Write(octets); };
    storage::Result<> written;
    if (body.FitsInMemory(octets.size())) {
      written = write();
    } else {
      written = co_await services_.storage.Run(write);
    }
    if (!written) co_return RefusalFor(written.error());
    co_return std::nullopt;
  }

  /// Where there are files, the texts beside them are files too: the store takes all contents alike.
  asio::awaitable<std::optional<Refusal>> StageTexts() {
    if (request_.files() == 0) co_return std::nullopt;
    const auto contents = ContentsOf(request_.event);
    for (content_ = 0; content_ < contents.size(); ++content_) {
      if (request_.awaits_file[content_]) continue;
      auto refusal = co_await StageFile();
      if (!refusal) refusal = co_await Take(contents[content_]->octets);
      if (refusal) co_return refusal;
    }
    for (auto& file : files_) request_.event.files.push_back(*std::move(file));
    co_return std::nullopt;
  }

  Call& call_;
  Services& services_;
  const storage::AccountId account_;
  const std::optional<std::uint64_t> quota_;  ///< octets
  std::string description_;
  bool described_ = false;
  EventRequest request_;
  std::vector<std::optional<storage::StagedBody>> files_;  ///< by content
  std::size_t content_ = 0;                                ///< the next file is its
  std::uint64_t octets_ = 0;                               ///< of the files
};

boost::json::object ToJson(const storage::Recorded& recorded) {
  boost::json::object out;
  out["folder"] = recorded.path;
  out["uidvalidity"] = recorded.uid_validity.value;
  out["uid"] = recorded.uid.value;
  std::string email_id;
  protocol::AppendEmailId(email_id, recorded.object);
  out["emailid"] = email_id;
  out["created"] = recorded.created;
  return out;
}

}  // namespace

asio::awaitable<void> RecordEvent(Call& call, Services& services) {
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  EventUpload upload(call, services, *account);
  auto refusal = co_await upload.Run();
  if (refusal) {
    co_await call.Fail(*std::move(refusal));
    co_return;
  }
  auto record = [&] {
    return services.store.Record(account->id, upload.TakeEvent(), storage::Actor({}, storage::Role::kPf));
  };
  auto recorded = co_await services.storage.Run(record);
  if (!recorded) {
    co_await call.Fail(std::move(recorded).error());
    co_return;
  }
  co_await call.Reply(recorded->created ? Status::created : Status::ok, ToJson(*recorded));
}

}  // namespace server::http
