#include "server/imap/sort/message_keys.h"

#include "protocol/imap/limits.h"
#include "protocol/mime/base_subject.h"
#include "protocol/mime/words.h"
#include "protocol/text/casemap.h"

namespace server::imap::sort {

using protocol::SortKey;
using protocol::mime::EnvelopeReader;
using Field = EnvelopeReader::Field;

namespace {

std::string Collated(std::string_view utf8) {
  // A character has one octet or more when it is collated, so what is longer than the limit is cut before.
  // Cut in the midst of a character it would be no UTF-8.
  std::size_t end = std::min(utf8.size(), 4 * protocol::limits::kSortKey);
  while (end < utf8.size() && end > 0 && (static_cast<unsigned char>(utf8[end]) & 0xc0U) == 0x80) --end;
  std::string key = protocol::text::UnicodeCasemap(utf8.substr(0, end));
  if (key.size() > protocol::limits::kSortKey) key.resize(protocol::limits::kSortKey);
  return key;
}

std::string Mailbox(const EnvelopeReader& envelope, Field field) {
  auto address = envelope.First(field);
  return address ? std::move(address->mailbox).value_or(std::string()) : std::string();
}

/// RFC 5957 §3. An address without a host has an empty one here (protocol/mime/address_list.h).
std::string Display(const EnvelopeReader& envelope, Field field) {
  const auto address = envelope.First(field);
  if (!address) return {};
  if (address->name) {
    std::string name = protocol::mime::DecodeWords(*address->name);
    if (!name.empty()) return name;
  }
  if (!address->mailbox) return {};
  if (!address->host || address->host->empty()) return *address->mailbox;
  return *address->mailbox + "@" + *address->host;
}

}  // namespace

std::int64_t SentDate(const storage::MessageRow& row) {
  if (row.sent) return row.sent->unix_seconds;
  if (const auto date = EnvelopeReader(row.envelope).Text(Field::kDate)) {
    if (const auto day = protocol::mime::ParseHeaderDay(*date)) return day->unix_seconds;
  }
  return row.internal_date.unix_seconds;
}

std::int64_t NumberOf(const storage::MessageRow& row, SortKey key) {
  switch (key) {
    case SortKey::kArrival: return row.internal_date.unix_seconds;
    case SortKey::kSize: return static_cast<std::int64_t>(row.size);
    default: return SentDate(row);
  }
}

std::string TextOf(const EnvelopeReader& envelope, SortKey key) {
  switch (key) {
    case SortKey::kCc: return Collated(Mailbox(envelope, Field::kCc));
    case SortKey::kFrom: return Collated(Mailbox(envelope, Field::kFrom));
    case SortKey::kTo: return Collated(Mailbox(envelope, Field::kTo));
    case SortKey::kDisplayFrom: return Collated(Display(envelope, Field::kFrom));
    case SortKey::kDisplayTo: return Collated(Display(envelope, Field::kTo));
    default: return SubjectOf(envelope).base;
  }
}

Subject SubjectOf(const EnvelopeReader& envelope) {
  const auto base = protocol::mime::BaseSubjectOf(envelope.Text(Field::kSubject).value_or(std::string()));
  return {Collated(base.text), base.reply_or_forward};
}

}  // namespace server::imap::sort
