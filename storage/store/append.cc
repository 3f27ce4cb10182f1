#include "storage/store/core.h"
#include "storage/store/delivery.h"
#include "storage/store/folder_edit.h"
#include "storage/store/folder_tree.h"
#include "storage/store/message_rows.h"

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

Result<AppendResult> MailStore::Replace(FolderRef from, Uid replaced, std::string_view path,
                                        NewMessage message, Actor actor) {
  std::vector<NewMessage> messages;
  messages.push_back(std::move(message));
  ASSIGN_OR_RETURN(auto delivery, Delivery::Prepare(*core_, std::move(messages), actor));
  AppendResult out;
  schema::IntentKey intent;
  RETURN_IF_ERROR(core_->lanes.Run(from.account, [&](AccountTxn& txn) -> Result<> {
    RETURN_IF_ERROR(txn.Account());  // before its folders: it may be gone
    const FolderTree tree(txn, core_->options, actor);
    ASSIGN_OR_RETURN(const FolderId folder, tree.Resolve(path));
    ASSIGN_OR_RETURN(auto edit, FolderEdit::Load(txn, from.folder));
    UidSet gone;
    RETURN_IF_ERROR(edit.ForEach(UidSet(replaced, replaced), [&](Uid uid, const auto&) { gone.Add(uid); }));
    if (gone.empty()) return Fail(Errc::kNoSuchMessage);
    ASSIGN_OR_RETURN(intent, ExpungeMessages(txn, edit, gone, actor.origin));
    ASSIGN_OR_RETURN(out, delivery.Place(txn, tree, folder, actor));
    return {};
  }));
  delivery.Done();
  core_->janitor.Add(intent);
  return out;
}

}  // namespace storage
