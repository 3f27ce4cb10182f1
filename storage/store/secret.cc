#include <cerrno>
#include <cstring>
#include <mutex>

#include <sys/random.h>

#include "storage/store/core.h"

namespace storage {

using kv::Table;

Result<std::string> MailStore::Secret(std::string_view name) {
  const std::string key = "secret/" + std::string(name);
  const std::scoped_lock lock(core_->addresses);  // two who ask first must get the same
  ASSIGN_OR_RETURN(auto value, core_->engine.Get(Table::kMeta, key));
  if (value) return *std::move(value);
  std::string octets(32, '\0');
  if (::getrandom(octets.data(), octets.size(), 0) != static_cast<ssize_t>(octets.size()))
    return Fail(Errc::kUnavailable, std::string("getrandom: ") + std::strerror(errno));
  kv::Batch batch;
  batch.Put(Table::kMeta, key, octets);
  RETURN_IF_ERROR(core_->engine.Apply(batch, kv::Durability::kNow));
  return octets;
}

}  // namespace storage
