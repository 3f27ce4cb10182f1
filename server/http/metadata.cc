// METADATA of an account (RFC 5464): what its owner sees, and the operator's part.
#include <boost/json/array.hpp>

#include "protocol/model/mailbox_name.h"
#include "protocol/text/base64.h"
#include "protocol/text/charset.h"
#include "server/http/account_json.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

/// As many as one command of IMAP.
constexpr std::size_t kMaxEntries = 128;

std::string FolderOf(const Call& call) {
  return protocol::CanonicalMailboxName(call.Query("folder").value_or(""));
}

/// A value is any octets; JSON holds text.
boost::json::object ToJson(const storage::Annotation& annotation) {
  boost::json::object out;
  out["entry"] = annotation.entry;
  if (!annotation.value) {
    out["value"] = nullptr;
  } else if (protocol::text::IsValidUtf8(*annotation.value)) {
    out["value"] = *annotation.value;
  } else {
    out["value_base64"] = protocol::text::EncodeBase64(*annotation.value);
  }
  out["kept_by_server"] = annotation.kept;
  return out;
}

/// {"entry": ..., "value": text or null} or {"entry": ..., "value_base64": ...}
std::optional<storage::AnnotationChange> ReadChange(const boost::json::value& json) {
  const auto* object = json.if_object();
  if (object == nullptr || object->size() != 2) return std::nullopt;
  const auto* entry = object->if_contains("entry");
  const auto* text = object->if_contains("value");
  const auto* base64 = object->if_contains("value_base64");
  if (entry == nullptr || !entry->is_string()) return std::nullopt;
  storage::AnnotationChange change{std::string(entry->get_string()), std::nullopt};
  if (text != nullptr && text->is_null()) return change;
  if (text != nullptr && text->is_string()) {
    change.value = std::string(text->get_string());
  } else if (base64 != nullptr && base64->is_string()) {
    change.value = protocol::text::DecodeBase64(base64->get_string());
  }
  return change.value ? std::optional(std::move(change)) : std::nullopt;
}

/// {"entries": [change, ...]}; empty: it is not that.
std::vector<storage::AnnotationChange> ReadChanges(const boost::json::object& json) {
  std::vector<storage::AnnotationChange> changes;
  const auto* entries = json.if_contains("entries");
  if (entries == nullptr || !entries->is_array() || json.size() != 1) return {};
  if (entries->get_array().size() > kMaxEntries) return {};
  for (const auto& entry : entries->get_array()) {
    auto change = ReadChange(entry);
    if (!change) return {};
    changes.push_back(*std::move(change));
  }
  return changes;
}

}  // namespace

asio::awaitable<void> GetMetadata(Call& call, Services& services) {
  const std::string folder = FolderOf(call);
  storage::AnnotationQuery query{.entries = call.QueryAll("entry"), .max_size = {}};
  if (query.entries.size() > kMaxEntries) {
    Refusal refusal{Status::bad_request, "invalid_argument", "At most 128 entries at once"};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  if (query.entries.empty()) {
    query.entries = {"/private", "/shared"};
    query.depth = protocol::MetadataDepth::kInfinity;
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto read = [&] {
    return services.store.GetAnnotations(account->id, folder, query, account->id,
                                         storage::Actor({}, storage::Role::kOperator));
  };
  auto answer = co_await services.storage.Run(read);
  if (!answer) {
    co_await call.Fail(std::move(answer).error());
    co_return;
  }
  boost::json::array entries;
  for (const auto& annotation : answer->found) entries.push_back(ToJson(annotation));
  boost::json::object body;
  body["folder"] = folder;
  body["entries"] = std::move(entries);
  co_await call.Reply(Status::ok, std::move(body));
}

asio::awaitable<void> SetMetadata(Call& call, Services& services) {
  const std::string folder = FolderOf(call);
  const auto json = co_await call.ReadJson();
  if (!json) co_return;
  const auto changes = ReadChanges(*json);
  if (changes.empty()) {
    Refusal refusal{
        Status::bad_request, "invalid_argument",
        "The body must be {\"entries\": [{\"entry\": NAME, \"value\": TEXT or null}, ...]}, or with "
        "\"value_base64\"; 1 to 128 entries"};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  const storage::Actor actor({}, storage::Role::kOperator);
  auto set = [&] { return services.store.SetAnnotations(account->id, folder, changes, account->id, actor); };
  auto done = co_await services.storage.Run(set);
  if (!done) {
    co_await call.Fail(std::move(done).error());
    co_return;
  }
  co_await call.Reply(Status::ok, boost::json::object());
}

}  // namespace server::http
