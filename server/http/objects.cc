#include <charconv>
#include <iterator>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "protocol/cpm/object_view.h"
#include "protocol/mime/parts.h"
#include "protocol/model/mailbox_name.h"
#include "server/http/account_json.h"
#include "server/http/object_json.h"
#include "server/http/object_page.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

constexpr std::uint64_t kMaxPage = 1000;
constexpr std::uint64_t kMaxUid = 0xffffffffULL;
/// Of one file that is given out by itself: it is in memory once.
constexpr std::size_t kMaxFile = 64 << 20;
constexpr std::size_t kPiece = 256 * 1024;

Refusal Bad(std::string message) { return {Status::bad_request, "invalid_argument", std::move(message)}; }

/// What "?folder=P" names; nullopt: already answered.
asio::awaitable<std::optional<storage::FolderStatus>> NamedFolder(Call& call, Services& services) {
  const auto path = protocol::CanonicalMailboxName(call.Query("folder").value_or(""));
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return std::nullopt;
  auto get = [&] {
    return services.store.GetFolder(account->id, path, storage::Actor({}, storage::Role::kOperator));
  };
  auto folder = co_await services.storage.Run(get);
  if (!folder) {
    co_await call.Fail(std::move(folder).error());
    co_return std::nullopt;
  }
  co_return *std::move(folder);
}

/// Where one object lies.
struct Place {
  storage::ObjectId object;
  std::uint64_t size = 0;
  std::string parts;
};

storage::Result<Place> Find(storage::MailStore& store, storage::FolderRef folder, storage::Uid uid) {
  const auto reader = store.Read(folder, storage::Actor({}, storage::Role::kOperator));
  if (!reader) return tl::unexpected(reader.error());
  std::optional<Place> found;
  const auto take = [&](storage::Uid, const storage::MessageRow& row) {
    found = Place{row.object, row.size, std::string(row.parts)};
    return false;
  };
  if (auto done = reader->Rows(storage::UidSet(uid, uid), take); !done)
    return tl::unexpected(std::move(done).error());
  if (!found) return tl::unexpected(storage::Error{storage::Errc::kNoSuchMessage, std::to_string(uid.value)});
  return *std::move(found);
}

/// "F7.42", as "next" was; nullopt: it is not.
std::optional<storage::FoundMessage> CursorIn(std::string_view text) {
  const auto number = [&](char before) -> std::optional<std::uint64_t> {
    if (!text.starts_with(before)) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, bad] = std::from_chars(text.data() + 1, text.data() + text.size(), value);
    if (bad != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
  };
  const auto folder = number('F');
  const auto uid = folder ? number('.') : std::nullopt;
  if (!uid || *uid > kMaxUid || !text.empty()) return std::nullopt;
  return storage::FoundMessage{{*folder}, {static_cast<std::uint32_t>(*uid)}};
}

/// Objects of a kind, by the index: in all folders, or in one.
asio::awaitable<void> ListKind(Call& call, Services& services, std::string_view name) {
  const auto kind = ObjectKindOf(name);
  const auto from = CursorIn(call.Query("from").value_or("F0.0"));
  const auto limit = call.NumberQuery("limit", 100, kMaxPage);
  if (!kind || !from || !limit || *limit == 0) {
    auto refusal = Bad(kind ? "\"from\" must be what \"next\" was, \"limit\" a whole number, 1 to 1000"
                            : "\"kind\" must be chat, standalone, imdn, sms, mms, file-link, file-transfer, "
                              "session-info, group-state or media");
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  std::optional<storage::FolderId> only;
  storage::AccountId id;
  if (call.Query("folder")) {
    const auto folder = co_await NamedFolder(call, services);
    if (!folder) co_return;
    id = folder->ref.account;
    only = folder->ref.folder;
  } else {
    const auto account = co_await NamedAccount(call, services);
    if (!account) co_return;
    id = account->id;
  }
  auto read = [&] { return ReadKindPage(services.store, id, *kind, *from, only, *limit); };
  auto page = co_await services.storage.Run(read);
  if (!page) {
    co_await call.Fail(std::move(page).error());
    co_return;
  }
  boost::json::object body;
  body["objects"] = boost::json::array(std::make_move_iterator(page->objects.begin()),
                                       std::make_move_iterator(page->objects.end()));
  if (page->next) body["next"] = fmt::format("F{}.{}", page->next->folder.value, page->next->uid.value);
  co_await call.Reply(Status::ok, std::move(body));
}

asio::awaitable<void> List(Call& call, Services& services) {
  const auto after = call.NumberQuery("after", 0, kMaxUid);
  const auto limit = call.NumberQuery("limit", 100, kMaxPage);
  if (!after || *after == kMaxUid || !limit || *limit == 0) {
    auto refusal = Bad("\"after\" must be a UID, \"limit\" a whole number, 1 to 1000");
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const auto folder = co_await NamedFolder(call, services);
  if (!folder) co_return;
  const storage::Uid from{static_cast<std::uint32_t>(*after + 1)};
  auto read = [&] { return ReadObjectPage(services.store, folder->ref, {from, protocol::kMaxUid}, *limit); };
  auto page = co_await services.storage.Run(read);
  if (!page) {
    co_await call.Fail(std::move(page).error());
    co_return;
  }
  boost::json::object body;
  boost::json::array objects;
  for (auto& object : page->objects) objects.push_back(std::move(object));
  body["objects"] = std::move(objects);
  if (page->next) body["next"] = page->next->value - 1;
  co_await call.Reply(Status::ok, std::move(body));
}

asio::awaitable<void> SendOctets(Call& call, Services& services, storage::AccountId account,
                                 const Place& place) {
  const auto source = services.store.OpenBody(account, place.object, place.size);
  bool sending = co_await call.StartStream("message/rfc822");
  std::vector<char> space(kPiece);
  for (std::uint64_t offset = 0; sending && offset < place.size;) {
    auto read = [&] { return source->Read(offset, space); };
    const auto got = co_await services.storage.Run(read);
    if (got <= 0) co_return;  // expunged under way: the missing last chunk tells the caller
    sending = co_await call.Write(std::string_view(space.data(), static_cast<std::size_t>(got)));
    offset += static_cast<std::uint64_t>(got);
  }
  if (sending) [[maybe_unused]]
    const bool ended = co_await call.EndStream();
}

asio::awaitable<void> SendFile(Call& call, Services& services, storage::AccountId account, const Place& place,
                               std::size_t index) {
  auto read = [&]() -> tl::expected<std::string, protocol::cpm::Fault> {
    const auto source = services.store.OpenBody(account, place.object, place.size);
    const auto parts = protocol::mime::DecodeParts(place.parts);
    if (!parts) return tl::unexpected(protocol::cpm::Fault{parts.error().detail});
    return protocol::cpm::ReadObjectFile(*parts, *source, index, kMaxFile);
  };
  auto file = co_await services.storage.Run(read);
  if (!file) {
    Refusal refusal{Status::not_found, "no_such_file", "No such file: " + file.error().text};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  co_await call.ReplyText("application/octet-stream", *std::move(file));
}

}  // namespace

asio::awaitable<void> GetObjects(Call& call, Services& services) {
  if (!call.Query("uid")) {
    if (const auto kind = call.Query("kind"))
      co_await ListKind(call, services, *kind);
    else
      co_await List(call, services);
    co_return;
  }
  const auto uid = call.NumberQuery("uid", 0, kMaxUid);
  const auto file = call.NumberQuery("file", 0, kMaxUid);
  if (!uid || *uid == 0 || !file) {
    auto refusal = Bad("\"uid\" must be a UID, \"file\" a number in the object's list of files, from 0");
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const auto folder = co_await NamedFolder(call, services);
  if (!folder) co_return;
  auto find = [&] { return Find(services.store, folder->ref, {static_cast<std::uint32_t>(*uid)}); };
  auto place = co_await services.storage.Run(find);
  if (!place) {
    co_await call.Fail(std::move(place).error());
    co_return;
  }
  if (call.Query("file")) {
    co_await SendFile(call, services, folder->ref.account, *place, *file);
  } else {
    co_await SendOctets(call, services, folder->ref.account, *place);
  }
}

asio::awaitable<void> DeleteObject(Call& call, Services& services) {
  const auto uid = call.NumberQuery("uid", 0, kMaxUid);
  if (!uid || *uid == 0) {
    auto refusal = Bad("\"uid\" must be a UID");
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const auto folder = co_await NamedFolder(call, services);
  if (!folder) co_return;
  const storage::Uid one{static_cast<std::uint32_t>(*uid)};
  auto erase = [&]() -> storage::Result<storage::UidSet> {
    const storage::Actor actor({}, storage::Role::kOperator);
    const storage::UidSet only(one, one);
    const protocol::FlagChange mark{protocol::FlagChange::Op::kAdd, {protocol::SystemFlag::kDeleted}};
    if (auto done = services.store.UpdateFlags(folder->ref, only, mark, actor); !done)
      return tl::unexpected(std::move(done).error());
    return services.store.Expunge(folder->ref, only, actor);
  };
  auto erased = co_await services.storage.Run(erase);
  if (!erased || erased->empty()) {
    auto error = erased ? storage::Error{storage::Errc::kNoSuchMessage, std::to_string(*uid)}
                        : std::move(erased).error();
    co_await call.Fail(std::move(error));
    co_return;
  }
  boost::json::object body;
  body["deleted"] = *uid;
  co_await call.Reply(Status::ok, std::move(body));
}

}  // namespace server::http
