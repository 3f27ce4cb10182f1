#include <sstream>

#include "tests/support/store_model.h"

namespace tests {

using Kind = StoreOp::Kind;
using storage::Actor;
using storage::FolderRef;
using storage::MailStore;
using storage::Origin;

namespace {

void Demand(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

}  // namespace

namespace {

constexpr auto kDefault = "Default";

/// As the store's profile had it when the account was made.
std::string DefaultOf(MailStore& store, storage::AccountId account) {
  const auto folder = store.GetFolder(account, kDefault);
  return folder && folder->kind == storage::FolderKind::kDefault ? kDefault : "";
}

}  // namespace

StorePlayer::StorePlayer(MailStore& store, storage::AccountId account, std::int64_t now,
                         std::function<void(std::chrono::seconds)> advance)
    : store_(&store),
      account_(account),
      advance_(std::move(advance)),
      model_(now, Must(store.GetAccount(account)).modseq.value, DefaultOf(store, account)) {
  for (const auto& entry : Must(store.ListFolders(account))) heard_[entry.id.value].path = entry.path;
  for (auto& path : Must(store.ListSubscriptions(account))) heard_subscriptions_.insert(std::move(path));
  Attach(store);
}

void StorePlayer::Detach() {
  subscription_.Reset();
  store_ = nullptr;
}

void StorePlayer::Attach(MailStore& store) {
  store_ = &store;
  subscription_ = store.feed().Subscribe(account_, *this);
}

std::optional<Errc> StorePlayer::Play(const StoreOp& op) {
  const StoreModel before = model_;
  const auto expected = model_.Apply(op);
  changes_.clear();
  ++origin_;
  const auto actual = Do(op);
  if (actual == Errc::kUnavailable) model_ = before;
  if (actual && actual != Errc::kUnavailable) {
    // What is refused is not told; but a refused COPY may have used up UIDs in the model.
    Demand(changes_.empty(), "news of what was refused");
  }
  if (actual != expected && actual != Errc::kUnavailable) {
    std::ostringstream text;
    text << op << ": error " << (actual ? static_cast<int>(*actual) : -1) << ", not "
         << (expected ? static_cast<int>(*expected) : -1);
    throw std::runtime_error(text.str());
  }
  TakeNews(op.kind);
  return actual;
}

std::optional<Errc> StorePlayer::Append(const StoreOp& op) {
  // The model counts the seeds on when it appends, and only then.
  const std::uint32_t last = model_.seed;
  const std::int64_t now = model_.now;
  std::vector<storage::NewMessage> messages;
  for (std::uint32_t i = 0; i < op.count; ++i) {
    auto body = store_->Stage(account_);
    if (!body) return body.error().code;
    if (const auto written = body->Write(MessageOctets(last - op.count + i, op.size)); !written)
      return written.error().code;
    messages.push_back({*std::move(body), Flags(op.flags), {}});
    if (op.expiry != 0) messages.back().expiry = now + op.expiry;
  }
  const auto done = store_->Append(account_, op.path, std::move(messages), Actor(Origin{origin_}, op.role));
  if (!done) return done.error().code;
  Demand(done->uids.size() == op.count, "APPEND gave another number of UIDs");
  return {};
}

std::optional<Errc> StorePlayer::CopyOrMove(const StoreOp& op, FolderRef folder) {
  const auto uids = UidRange(op.first, op.last);
  const Actor actor(Origin{origin_}, op.role);
  const auto done = op.kind == Kind::kCopy ? store_->Copy(folder, uids, op.other, actor)
                                           : store_->Move(folder, uids, op.other, actor);
  if (!done) return done.error().code;
  Demand(done->source.size() == done->target.size(), "COPY gave unequal UIDs");
  return {};
}

std::optional<Errc> StorePlayer::Do(const StoreOp& op) {
  const Actor actor(Origin{origin_}, op.role);
  FolderRef folder;
  switch (op.kind) {
    case Kind::kFlags:
    case Kind::kExpunge:
    case Kind::kCopy:
    case Kind::kMove:
    case Kind::kAccess:
    case Kind::kClaimRecent: {
      const auto status = store_->GetFolder(account_, op.path);
      if (!status) return status.error().code;
      folder = status->ref;
      break;
    }
    default: break;
  }
  switch (op.kind) {
    case Kind::kCreate: return ErrorOf(store_->CreateFolder(account_, op.path, op.use, actor));
    case Kind::kDelete: return ErrorOf(store_->DeleteFolder(account_, op.path, actor));
    case Kind::kRename: return ErrorOf(store_->RenameFolder(account_, op.path, op.other, actor));
    case Kind::kSubscribe: return ErrorOf(store_->Subscribe(account_, op.path, actor));
    case Kind::kUnsubscribe: return ErrorOf(store_->Unsubscribe(account_, op.path, actor));
    case Kind::kAppend: return Append(op);
    case Kind::kFlags:
      return ErrorOf(
          store_->UpdateFlags(folder, UidRange(op.first, op.last), {op.op, Flags(op.flags)}, actor));
    case Kind::kExpunge: return ErrorOf(store_->Expunge(folder, UidRange(op.first, op.last), actor));
    case Kind::kCopy:
    case Kind::kMove: return CopyOrMove(op, folder);
    case Kind::kClaimRecent: return ErrorOf(store_->OpenFolder(folder, /*claim_recent=*/true));
    case Kind::kAccess: return ErrorOf(store_->NoteAccess(folder, UidRange(op.first, op.last), actor));
    case Kind::kAnnotate:
      return ErrorOf(store_->SetAnnotations(account_, op.path, {{op.entry, op.value}}, account_, actor));
    case Kind::kSetQuota: return ErrorOf(store_->SetQuota(account_, op.limits));
    case Kind::kDrain: store_->DrainJanitor(); return {};
    case Kind::kAdvance:
      // Rows of messages that are gone would be looked at, too, and nobody knows when they go.
      store_->DrainJanitor();
      if (advance_) advance_(std::chrono::seconds(op.count));
      store_->ReapDue();
      return {};
    case Kind::kReopen: return {};  // the owner of the store does it
  }
  return {};
}

void StorePlayer::TakeNews(Kind kind) {
  for (const auto& change : changes_) {
    Demand(change->account == account_, "news of another account");
    // What expires is nobody's doing, and who makes a message permanent is told of it as others are.
    const bool of_the_store =
        kind == Kind::kAdvance || std::holds_alternative<storage::FlagsChanged>(change->what);
    Demand(change->origin == Origin{origin_} || (of_the_store && change->origin == Origin{}),
           "news with another origin");
    if (const auto* subscribed = std::get_if<storage::SubscriptionChanged>(&change->what)) {
      if (subscribed->subscribed)
        heard_subscriptions_.insert(subscribed->path);
      else
        heard_subscriptions_.erase(subscribed->path);
      continue;
    }
    Demand(change->modseq.value >= heard_modseq_, "news out of order");
    heard_modseq_ = change->modseq.value;
    if (const auto* created = std::get_if<storage::FolderCreated>(&change->what)) {
      Demand(!heard_.contains(created->folder.value), "a folder was created twice");
      heard_[created->folder.value] = {created->path, {}};
    } else if (const auto* renamed = std::get_if<storage::FolderRenamed>(&change->what)) {
      if (renamed->folder.value == 0) continue;  // a name alone
      Demand(heard_.at(renamed->folder.value).path == renamed->from, "renamed from another name");
      heard_.at(renamed->folder.value).path = renamed->to;
    } else if (const auto* deleted = std::get_if<storage::FolderDeleted>(&change->what)) {
      Demand(heard_.erase(deleted->folder.value) == 1, "an unknown folder was deleted");
    } else if (const auto* added = std::get_if<storage::MessagesAdded>(&change->what)) {
      auto& uids = heard_.at(added->folder.value).uids;
      Demand(uids.Intersect(added->uids).empty(), "messages were added twice");
      added->uids.ForEach([&](storage::Uid uid) { uids.Add(uid); });
    } else if (const auto* expunged = std::get_if<storage::MessagesExpunged>(&change->what)) {
      auto& uids = heard_.at(expunged->folder.value).uids;
      Demand(expunged->uids.Minus(uids).empty(), "unknown messages were expunged");
      uids = uids.Minus(expunged->uids);
    } else if (const auto* flags = std::get_if<storage::FlagsChanged>(&change->what)) {
      for (const auto& state : flags->states) {
        Demand(heard_.at(flags->folder.value).uids.Contains(state.uid), "flags of an unknown message");
        Demand(state.modseq == change->modseq, "flags under another modseq");
      }
    }
  }
  changes_.clear();
}

std::string StorePlayer::Compare(Precision precision) {
  const auto seen = See(*store_, account_);
  if (auto difference = Difference(model_.Seen(), seen, precision); !difference.empty()) return difference;
  std::size_t selectable = 0;
  for (const auto& [path, folder] : seen.folders) selectable += folder.selectable ? 1 : 0;
  if (heard_.size() != selectable) return "the feed told of other folders";
  if (heard_subscriptions_ != seen.subscriptions) return "the feed told of other subscriptions";
  for (const auto& [id, heard] : heard_) {
    const auto at = seen.folders.find(heard.path);
    if (at == seen.folders.end()) return "the feed told of another folder";
    storage::UidSet uids;
    for (const auto& [uid, message] : at->second.messages) uids.Add(storage::Uid{uid});
    if (uids != heard.uids)
      return fmt::format("the feed told of UIDs {} in \"{}\", there are {}", heard.uids.ToString(),
                         heard.path, uids.ToString());
  }
  return {};
}

}  // namespace tests
