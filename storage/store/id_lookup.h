#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "storage/error.h"
#include "storage/schema/keys.h"
#include "storage/store/folder.h"

namespace protocol::mime {
struct Inspection;
}
namespace storage::schema {
struct IndexedId;
}

namespace storage {

class AccountTxn;
using schema::IdKind;

/// The identifiers by which messages are found at once (table `ids`). A message has at most one of each kind:
/// the first header field of that name whose value is not too long.

/// The kind that a header field is; its name in any case.
std::optional<IdKind> IdKindOf(std::string_view field);
/// True: FindById() finds every message with this value. False: it is too long, or no value; who looks for it
/// must read headers.
bool IsIndexed(IdKind kind, std::string_view value);
/// False: FindById() finds nothing by this value, whatever any header says. Between the two are long values,
/// of which the index knows only in messages that were stored since it takes them.
bool IsIndexable(std::string_view value);
/// What `ids` is to hold of a message.
std::vector<schema::IndexedId> IdsOf(const protocol::mime::Inspection& inspection);

/// The identifier of this kind among MessageRow::ids, as `ids` has it: its first IdKey::kMaxValue octets.
/// Empty if the message has none.
Result<std::string> IdIn(std::string_view ids, IdKind kind);

struct FoundMessage {
  FolderId folder;
  Uid uid;
  friend auto operator<=>(const FoundMessage&, const FoundMessage&) = default;
};

/// The messages, by folder and UID, that are there and have just this value, octet by octet: unfolded, and a
/// Message-Correlator decoded (RFC 2047). A Message-ID is the same with and without its angle brackets. The
/// cost is that of the hits. Own changes of the transaction are seen.
Result<std::vector<FoundMessage>> FindById(const AccountTxn& txn, IdKind kind, std::string_view value);

}  // namespace storage
