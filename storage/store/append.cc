#include "storage/store/core.h"
#include "storage/store/delivery.h"
#include "storage/store/folder_tree.h"

namespace storage {

Result<> MailStore::CheckRoom(AccountId account, std::uint64_t octets, std::uint64_t messages) {
  ASSIGN_OR_RETURN(const auto info, GetAccount(account));
  const auto fits = [](std::uint64_t quota, std::uint64_t used, std::uint64_t more) {
    return quota == 0 || (used <= quota && more <= quota - used);
  };
  if (!fits(info.quota_octets, info.used_octets, octets) ||
      !fits(info.quota_messages, info.used_messages, messages))
    return Fail(Errc::kOverQuota);
  return {};
}

Result<AppendResult> MailStore::Append(AccountId account, std::string_view path,
                                       std::vector<NewMessage> messages, Actor actor) {
  ASSIGN_OR_RETURN(auto delivery, Delivery::Prepare(*core_, std::move(messages), actor));
  AppendResult out;
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    RETURN_IF_ERROR(txn.Account());  // before its folders: it may be gone
    const FolderTree tree(txn, core_->options, actor);
    ASSIGN_OR_RETURN(const FolderId folder, tree.Resolve(path));
    ASSIGN_OR_RETURN(out, delivery.Place(txn, tree, folder, actor));
    return {};
  }));
  delivery.Done();
  return out;
}

}  // namespace storage
