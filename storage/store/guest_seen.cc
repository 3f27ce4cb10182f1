#include "storage/store/guest_seen.h"

#include <utility>

namespace storage {

using schema::StatePage;

Result<GuestSeen::Loaded*> GuestSeen::Load(std::uint32_t page) {
  const auto [at, fresh] = pages_.try_emplace(page);
  if (fresh) {
    ASSIGN_OR_RETURN(at->second.page, ReadSeen(txn_, {txn_.account(), folder_}, viewer_, page));
  }
  return &at->second;
}

Result<bool> GuestSeen::Has(Uid uid) {
  ASSIGN_OR_RETURN(const auto* loaded, Load(StatePage::PageOf(uid)));
  return loaded->page.Has(StatePage::SlotOf(uid));
}

Result<> GuestSeen::Set(Uid uid, bool seen) {
  ASSIGN_OR_RETURN(auto* loaded, Load(StatePage::PageOf(uid)));
  if (loaded->page.Has(StatePage::SlotOf(uid)) == seen) return {};
  loaded->page.Set(StatePage::SlotOf(uid), seen);
  loaded->dirty = true;
  return {};
}

void GuestSeen::Save() {
  for (auto& [number, loaded] : pages_) {
    if (!std::exchange(loaded.dirty, false)) continue;
    const std::string key = schema::SeenKey{txn_.account(), folder_, viewer_, number}.Encode();
    if (loaded.page == schema::SeenPage{})
      txn_.Erase(kv::Table::kSeen, key);
    else
      txn_.Put(kv::Table::kSeen, key, loaded.page.Encode());
  }
}

}  // namespace storage
