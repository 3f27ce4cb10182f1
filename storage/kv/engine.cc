#include "storage/kv/engine.h"

#include <utility>

#include "storage/memory_only.h"

namespace storage::kv {

std::string_view Name(Table table) {
  switch (table) {
    case Table::kMeta: return "meta";
    case Table::kAddresses: return "addresses";
    case Table::kAccounts: return "accounts";
    case Table::kFolders: return "folders";
    case Table::kFolderNames: return "folder_names";
    case Table::kStates: return "states";
    case Table::kMessages: return "messages";
    case Table::kBodies: return "bodies";
    case Table::kBodyRefs: return "body_refs";
    case Table::kTexts: return "texts";
    case Table::kIds: return "ids";
    case Table::kVanished: return "vanished";
    case Table::kAnnotations: return "annotations";
    case Table::kAcl: return "acl";
    case Table::kGrants: return "grants";
    case Table::kSubscriptions: return "subscriptions";
    case Table::kUrlKeys: return "url_keys";
    case Table::kReferences: return "references";
    case Table::kExpiries: return "expiries";
    case Table::kIntents: return "intents";
    case Table::kSeen: return "seen";
  }
  return "unknown";  // unreachable
}

void Batch::Put(Table table, std::string_view key, std::string_view value) {
  Set(table, key, Write{std::string(value)});
}

void Batch::Erase(Table table, std::string_view key) { Set(table, key, Write{}); }

void Batch::Set(Table table, std::string_view key, Write write) {
  auto& writes = writes_[static_cast<std::size_t>(table)];
  bytes_ += write.value ? write.value->size() : 0;
  if (const auto old = writes.find(key); old != writes.end()) {
    bytes_ -= old->second.value ? old->second.value->size() : 0;
    old->second = std::move(write);
    return;
  }
  bytes_ += key.size();
  ++size_;
  writes.emplace(std::string(key), std::move(write));
}

const Batch::Write* Batch::Find(Table table, std::string_view key) const {
  const auto& writes = writes_[static_cast<std::size_t>(table)];
  const auto found = writes.find(key);
  return found == writes.end() ? nullptr : &found->second;
}

void Batch::Merge(Batch&& other) {
  for (std::size_t i = 0; i < kTableCount; ++i) {
    for (auto& [key, write] : other.writes_[i]) Set(static_cast<Table>(i), key, std::move(write));
  }
  other.Clear();
}

void Batch::Clear() {
  for (auto& writes : writes_) writes.clear();
  size_ = 0;
  bytes_ = 0;
}

Result<std::optional<SharedValue>> View::GetShared(Table table, std::string_view key) const {
  ASSIGN_OR_RETURN(auto value, Get(table, key));
  if (!value) return std::optional<SharedValue>{};
  auto owner = std::make_shared<const std::string>(*std::move(value));
  const std::string_view octets = *owner;
  return std::optional(SharedValue{std::move(owner), octets});
}

Result<> CheckLimits(const Batch& batch) {
  RETURN_IF_ERROR(MemoryOnly::MayWait());
  for (std::size_t i = 0; i < kTableCount; ++i) {
    const auto table = static_cast<Table>(i);
    for (const auto& [key, write] : batch.writes(table)) {
      const std::size_t bytes = key.size() + (write.value ? write.value->size() : 0);
      if (key.empty()) return Fail(Errc::kInvalidArgument, "empty key in table " + std::string(Name(table)));
      if (bytes > kMaxRowBytes)
        return Fail(Errc::kTooBig, "row over 1 MiB in table " + std::string(Name(table)));
      if (write.value && write.value->empty()) {
        return Fail(Errc::kInvalidArgument, "empty value in table " + std::string(Name(table)));
      }
    }
  }
  return {};
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace storage::kv
