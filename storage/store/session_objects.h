#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "storage/store/account_txn.h"

namespace storage {

/// What the objects say that a session folder's annotations are made of: its session info and its group
/// states. They are read within the transaction that brings or takes them; a malformed one says nothing.

/// Of a group state without a timestamp that makes sense.
inline constexpr std::int64_t kEarliest = std::numeric_limits<std::int64_t>::min();

/// Milliseconds since 1970 of a group state's timestamp.
std::int64_t TimeOfGroupState(const AccountTxn& txn, const schema::StoredMessage& message);

/// Who takes part: of a session info the inviter, then the invited; of a group state those it lists.
/// Canonical where they can be, each once, between semicolons. nullopt: this object does not say.
std::optional<std::string> ParticipantsOf(const AccountTxn& txn, const schema::StoredMessage& message);

}  // namespace storage
