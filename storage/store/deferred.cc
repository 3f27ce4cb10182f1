#include "storage/store/deferred.h"

#include <fmt/format.h>

#include "protocol/mime/words.h"
#include "protocol/model/flags.h"
#include "storage/store/core.h"

namespace storage {

using protocol::FlagSet;
using protocol::SystemFlag;
using schema::StatePage;

Marks MarksOf(const KeywordTable& keywords) {
  Marks marks;
  for (std::size_t i = 0; i < keywords.size(); ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    const auto is = [&](std::string_view name) { return protocol::SameKeyword(keywords[i], name); };
    if (is(kDeferredKeyword)) marks.deferred |= bit;
    if (is(protocol::kArchivedKeyword)) marks.archived |= bit;
    if (is("$Forwarded")) marks.forwarded |= bit;
  }
  return marks;
}

FlagSet WithoutDeferred(const FlagSet& flags) {
  if (!flags.Contains(kDeferredKeyword)) return flags;
  FlagSet out;
  for (int i = 0; i < protocol::kSystemFlagCount; ++i) {
    const auto flag = static_cast<SystemFlag>(i);
    if (flags.Contains(flag)) out.Insert(flag);
  }
  for (const auto& keyword : flags.keywords()) {
    if (!protocol::SameKeyword(keyword, kDeferredKeyword)) out.Insert(std::string_view(keyword));
  }
  return out;
}

Result<std::int64_t> ExpiryOf(const NewMessage& message, const protocol::mime::Inspection& inspection,
                              Actor actor, const Profile& profile, std::int64_t now) {
  // The owner keeps what is archived.
  if (message.flags.Contains(protocol::kArchivedKeyword)) return 0;
  std::int64_t expiry = message.expiry;
  if (expiry == 0) {
    const bool honoured = actor.role == Role::kPf || actor.role == Role::kOperator;
    if (!honoured || !inspection.expires) return 0;
    const auto date = protocol::mime::ParseHeaderDate(*inspection.expires);
    if (!date) return Fail(Errc::kNotAllowed, "The Expires header does not hold a date (RFC 5322)");
    expiry = date->unix_seconds;
  }
  if (expiry <= now) {
    return Fail(
        Errc::kNotAllowed,
        "The message has expired already: a deferred message needs a time to come in its Expires header");
  }
  if (expiry - now > profile.max_deferred) {
    return Fail(Errc::kNotAllowed,
                fmt::format("A deferred message expires within {} seconds (profile.max_deferred); "
                            "the time in its Expires header is further off",
                            profile.max_deferred));
  }
  return expiry;
}

std::uint64_t KeywordsAfter(const StatePage::State& old, const StatePage::State& wanted, const Marks& marks,
                            Actor actor, bool drop) {
  if ((old.keywords & marks.deferred) == 0) return wanted.keywords & ~marks.deferred;
  constexpr std::uint32_t kAccess = FlagSet::Bit(SystemFlag::kSeen) | FlagSet::Bit(SystemFlag::kAnswered);
  const std::uint64_t new_keywords = wanted.keywords & ~old.keywords;
  const bool accessed =
      ((wanted.system & ~old.system & kAccess) != 0 || (new_keywords & marks.forwarded) != 0);
  const bool permanent = drop || (new_keywords & marks.archived) != 0 || (accessed && ActsAsOwner(actor));
  return permanent ? wanted.keywords & ~marks.deferred : wanted.keywords | marks.deferred;
}

Result<> MakePermanent(AccountTxn& txn, FolderEdit& edit, const UidSet& uids) {
  const std::uint64_t deferred = MarksOf(edit.row().keywords).deferred;
  if (deferred == 0) return {};
  std::vector<MessageState> changed;
  RETURN_IF_ERROR(edit.ForEach(uids, [&](Uid uid, const StatePage::State& state) {
    if ((state.keywords & deferred) != 0)
      changed.push_back({uid, {state.system, state.keywords & ~deferred}, {}});
  }));
  if (changed.empty()) return {};
  ASSIGN_OR_RETURN(const ModSeq modseq, txn.NextModSeq());
  for (auto& message : changed) {
    message.modseq = modseq;
    edit.SetState(message.uid, {message.flags.system, message.flags.keywords, modseq.value});
  }
  edit.Save(modseq);
  txn.Announce(Origin{}, FlagsChanged{edit.id(), std::move(changed), edit.Keywords(), edit.Summary()});
  return {};
}

Result<> MakePermanent(AccountTxn& txn, FolderId folder, const UidSet& uids) {
  ASSIGN_OR_RETURN(auto edit, FolderEdit::Load(txn, folder));
  return MakePermanent(txn, edit, uids);
}

Result<> MailStore::NoteAccess(FolderRef folder, const UidSet& uids, Actor actor) {
  if (!ActsAsOwner(actor)) return {};
  return core_->lanes.Run(folder.account,
                          [&](AccountTxn& txn) { return MakePermanent(txn, folder.folder, uids); });
}

}  // namespace storage
