#pragma once

#include "storage/store/core.h"
#include "storage/store/event.h"

namespace storage {

/// kInvalidArgument: a field of the event is missing, or cannot be in an object. Names it.
Result<> CheckEvent(const Event& event);

/// Writes the event's object, in the profile's layout, with what is absent filled in. Blocks. A file goes
/// from one body to the other, some of it at a time. REQUIRES: CheckEvent().
Result<NewMessage> WriteEvent(MailStore& store, MailStore::Core& core, AccountId account, Event& event);

}  // namespace storage
