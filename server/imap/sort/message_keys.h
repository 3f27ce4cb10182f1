#pragma once

#include <cstdint>
#include <string>

#include "protocol/imap/command/sort.h"
#include "protocol/mime/envelope_reader.h"
#include "storage/store/message.h"

namespace server::imap::sort {

/// What one message sorts by. All of it stands in its row: it was found at delivery.

/// RFC 5256 §2.2: Unix seconds of the Date field, else of INTERNALDATE. Of a date without a readable time
/// the day counts.
std::int64_t SentDate(const storage::MessageRow& row);

/// Keys that are numbers; the others are strings.
constexpr bool IsNumber(protocol::SortKey key) {
  return key == protocol::SortKey::kArrival || key == protocol::SortKey::kDate ||
         key == protocol::SortKey::kSize;
}
/// REQUIRES: IsNumber(key).
std::int64_t NumberOf(const storage::MessageRow& row, protocol::SortKey key);
/// Collated (RFC 5051), to be compared octet by octet; at most limits::kSortKey octets. REQUIRES: not
/// IsNumber(key).
std::string TextOf(const protocol::mime::EnvelopeReader& envelope, protocol::SortKey key);

/// The thread subject (RFC 5256 §3): collated as above.
struct Subject {
  std::string base;
  bool reply_or_forward = false;
};
Subject SubjectOf(const protocol::mime::EnvelopeReader& envelope);

}  // namespace server::imap::sort
