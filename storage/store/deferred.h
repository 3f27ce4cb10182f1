#pragma once

#include <string_view>

#include "protocol/mime/inspect.h"
#include "storage/store/folder_edit.h"
#include "storage/store/message.h"
#include "storage/store/profile.h"

namespace storage {

/// Deferred messages (spec note 6): a Participating Function hands over a message with an expiry, and it is
/// temporary until its owner has accessed it. That it is temporary is said by the keyword `$Deferred` in its
/// state and by nothing else: to become permanent costs a state page, whatever the message's row and its row
/// in `expiries` say. Only the functions here decide about it.

inline constexpr std::string_view kDeferredKeyword = "$Deferred";

/// The keywords that the store itself goes by, as bits of one folder; zero where the folder has none.
struct Marks {
  std::uint64_t deferred = 0;
  std::uint64_t archived = 0;  ///< exempt from expiry and retention
  std::uint64_t forwarded = 0;
};
Marks MarksOf(const KeywordTable& keywords);

/// What the owner does is access; what guests do is none. A Participating Function reads and copies what
/// nobody has seen yet, and an operator backs it up: that is none.
inline bool ActsAsOwner(const Actor& actor) { return actor.role == Role::kUser && !actor.guest; }

/// Without `$Deferred`, which nobody sets but the store.
protocol::FlagSet WithoutDeferred(const protocol::FlagSet& flags);

/// When a message to be appended expires, in Unix seconds; 0: never. That is what the caller says, or its
/// Expires header (RFC 4021 §2.1.50) if the network or an operator appends it: in a user's message that is a
/// header as any other. kNotAllowed: no time to come, or one beyond the profile's.
Result<std::int64_t> ExpiryOf(const NewMessage& message, const protocol::mime::Inspection& inspection,
                              Actor actor, const Profile& profile, std::int64_t now);

/// The keywords of a message whose flags go from `old` to `wanted` by the will of `actor`: `$Deferred` stays
/// unless the message is accessed by it (\Seen, \Answered, $Forwarded or archived are new), or archived by
/// anybody, or `drop` asks for it.
std::uint64_t KeywordsAfter(const schema::StatePage::State& old, const schema::StatePage::State& wanted,
                            const Marks& marks, Actor actor, bool drop);

/// Makes the temporary messages among `uids` permanent, and tells every session, the one at work too.
Result<> MakePermanent(AccountTxn& txn, FolderId folder, const UidSet& uids);
/// Within an edit that somebody else loads and saves.
Result<> MakePermanent(AccountTxn& txn, FolderEdit& edit, const UidSet& uids);

}  // namespace storage
