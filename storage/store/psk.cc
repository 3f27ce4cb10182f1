#include "storage/store/psk.h"

#include <algorithm>
#include <mutex>

#include <fmt/format.h>

#include "storage/kv/engine.h"
#include "storage/schema/psk_row.h"
#include "storage/store/mail_store.h"

namespace storage {
namespace {

using kv::Table;

std::string KeyOf(std::string_view identity) {
  return std::string(schema::kPskPrefix) + std::string(identity);
}

/// Two who add the same identity at once: operators do, seldom.
std::mutex& Adding() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

bool IsPskIdentity(std::string_view identity) {
  return !identity.empty() && identity.size() <= kMaxPskIdentity &&
         std::ranges::all_of(identity, [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<> PskTable::Add(const Psk& psk) {
  if (!IsPskIdentity(psk.identity))
    return Fail(Errc::kInvalidArgument,
                fmt::format("The identity must be 1 to {} octets of printable ASCII without spaces",
                            kMaxPskIdentity));
  if (psk.key.size() < kMinPskKey || psk.key.size() > kMaxPskKey)
    return Fail(Errc::kInvalidArgument,
                fmt::format("The key must have {} to {} octets", kMinPskKey, kMaxPskKey));
  const std::scoped_lock lock(Adding());
  ASSIGN_OR_RETURN(const auto all, List());
  const auto same = [&](const Psk& other) { return other.identity == psk.identity; };
  if (std::ranges::any_of(all, same))
    return Fail(Errc::kInvalidArgument, "This identity has a key: revoke it first");
  if (all.size() >= kMaxPsks)
    return Fail(Errc::kInvalidArgument, fmt::format("There are {} keys: revoke some first", all.size()));
  kv::Batch batch;
  batch.Put(Table::kMeta, KeyOf(psk.identity), schema::PskRow{psk.account, psk.created, psk.key}.Encode());
  return store_.engine().Apply(batch, kv::Durability::kNow);
}

Result<std::vector<Psk>> PskTable::List() {
  std::vector<Psk> out;
  Result<> bad;
  const auto view = store_.engine().OpenView();
  const auto prefix = schema::kPskPrefix;
  RETURN_IF_ERROR(view->Scan(Table::kMeta, prefix, kv::PrefixEnd(std::string(prefix)),
                             [&](std::string_view key, std::string_view value) {
                               auto row = schema::PskRow::Decode(value);
                               if (!row) {
                                 bad = tl::unexpected<Error>(row.error());
                                 return false;
                               }
                               out.push_back({std::string(key.substr(prefix.size())), row->account,
                                              std::move(row->key), row->created});
                               return true;
                             }));
  RETURN_IF_ERROR(bad);
  return out;
}

Result<bool> PskTable::Revoke(std::string_view identity) {
  const std::scoped_lock lock(Adding());
  ASSIGN_OR_RETURN(const auto value, store_.engine().Get(Table::kMeta, KeyOf(identity)));
  if (!value) return false;
  kv::Batch batch;
  batch.Erase(Table::kMeta, KeyOf(identity));
  RETURN_IF_ERROR(store_.engine().Apply(batch, kv::Durability::kNow));
  return true;
}

}  // namespace storage
