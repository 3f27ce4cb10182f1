#pragma once

#include <string>

#include "protocol/mime/inspect.h"
#include "protocol/mime/source.h"
#include "protocol/model/object_kind.h"

namespace protocol::cpm {

/// What an object is, and whether its body bears that out.
struct Classified {
  ObjectKind kind = ObjectKind::kMedia;
  bool malformed = false;  ///< claims to be `kind`, but cannot be read as such
  std::string fault;       ///< why, as in Fault; empty unless malformed

  friend bool operator==(const Classified&, const Classified&) = default;
};

/// By the table of spec note 2.1; README.md has it in full. Never kUnclassified. `found` is of the same
/// octets.
///
/// Runs on every APPEND. What has no CPM type is told from `found` alone, nothing is read. Of a CPM object at
/// most kMaxCpimHeader and kMaxXml octets are read, of a chat message the first 4 KiB as a rule. A failing
/// source makes it malformed; the caller knows of the failure from the source.
Classified Classify(const mime::Inspection& found, mime::Source& source);

}  // namespace protocol::cpm
