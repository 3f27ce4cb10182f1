#include <limits>
#include <map>

#include "storage/store/core.h"
#include "storage/store/delivery.h"
#include "storage/store/folder_edit.h"
#include "storage/store/folder_tree.h"
#include "storage/store/message_rows.h"
#include "storage/store/quota.h"

namespace storage {

Result<> MailStore::CheckRoom(AccountId account, std::uint64_t octets, std::uint64_t messages) {
  ASSIGN_OR_RETURN(const auto info, GetAccount(account));
  const auto sum = [](std::uint64_t used, std::uint64_t more) {  // `more` is what a client announced
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    return more > kMost - used ? kMost : used + more;
  };
  return CheckMessageQuota(info.quota, sum(info.used_octets, octets), sum(info.used_messages, messages));
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

Result<AppendResult> MailStore::AppendOnce(AccountId account, std::string_view path, NewMessage message,
                                           Actor actor) {
  std::vector<NewMessage> messages;
  messages.push_back(std::move(message));
  ASSIGN_OR_RETURN(auto delivery, Delivery::Prepare(*core_, std::move(messages), actor));
  std::map<ObjectId, bool> is_same;  // of those that were compared
  for (;;) {
    AppendResult out;
    std::optional<ObjectId> unknown;
    RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
      unknown.reset();
      RETURN_IF_ERROR(txn.Account());  // before its folders: it may be gone
      const FolderTree tree(txn, core_->options, actor);
      ASSIGN_OR_RETURN(const FolderId folder, tree.Resolve(path));
      ASSIGN_OR_RETURN(const auto row, txn.Folder(folder));
      ASSIGN_OR_RETURN(const Rights rights, tree.RightsIn(folder, row));
      RETURN_IF_ERROR(Demand(rights, Right::kInsert));
      ASSIGN_OR_RETURN(const auto alike, delivery.FindAlike(txn, folder));
      for (const auto& [uid, object] : alike) {
        const auto known = is_same.find(object);
        if (known == is_same.end()) {
          unknown = object;
          return {};
        }
        if (!known->second) continue;
        out = {{account, folder}, row.uid_validity, UidSet(uid, uid), /*created=*/false};
        return {};
      }
      ASSIGN_OR_RETURN(out, delivery.Place(txn, tree, folder, actor));
      return {};
    }));
    if (!unknown) {
      if (out.created) delivery.Done();
      return out;
    }
    ASSIGN_OR_RETURN(is_same[*unknown], delivery.IsFirst(*this, *core_, account, *unknown));
  }
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
    // RFC 8508 §4.1: what STORE, APPEND and EXPUNGE need.
    ASSIGN_OR_RETURN(const Rights rights, tree.RightsIn(from.folder, edit.row()));
    RETURN_IF_ERROR(Demand(rights, Right::kRead | Right::kDeleteMessages | Right::kExpunge));
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
