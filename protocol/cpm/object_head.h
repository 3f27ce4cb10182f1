#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/cpm/fault.h"
#include "protocol/model/internal_date.h"

namespace protocol::cpm {

/// Message-Direction, seen from the owner of the store.
enum class Direction { kReceived, kSent };

std::string_view ToString(Direction direction);  ///< "received", "sent"

/// The header catalogue of spec note 2.2: what a reader finds in an object's header and a writer puts there.
/// An empty string: the field is absent.
struct ObjectHead {
  std::string from;  ///< "tel:+15550100222", "<sip:bea@ims.example.net>": as it stands in the field
  std::string to;
  std::optional<InternalDate> date;
  std::string subject;     ///< UTF-8, RFC 2047 words decoded
  std::string message_id;  ///< with its angle brackets
  std::string conversation_id;
  std::string contribution_id;
  std::string in_reply_to_contribution_id;
  std::string imdn_message_id;
  std::optional<Direction> direction;
  std::string correlator;        ///< UTF-8, RFC 2047 words decoded
  std::string context;           ///< "pager-message": lower-case, without quotes
  std::string asserted_service;  ///< an ICSI, "urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg"

  friend bool operator==(const ObjectHead&, const ObjectHead&) = default;
};

/// Reads a header block (RFC 5322 fields up to an empty line). Names in any case; the first field of a name
/// counts; a date that makes no sense is absent.
ObjectHead ReadObjectHead(std::string_view header);

/// Message-Correlator of an SMS (spec note 2.9): the first 160 characters of its text, line ends as spaces.
std::string CorrelatorOf(std::string_view utf8);

/// What an ICSI says about its service: the last component in lower case ("session.group"), or empty when the
/// value is no CPM service.
std::string CpmService(std::string_view asserted_service);

/// An unstructured header value: as it is where it is short printable ASCII, else RFC 2047 words, folded.
std::string EncodeHeaderText(std::string_view utf8);

/// What stands in a MIME header besides the type (written between MIME-Version and Conversation-ID).
struct EntityFields {
  std::string content_type;
  std::string transfer_encoding;    ///< empty: no field
  std::string content_disposition;  ///< empty: no field
};

/// Appends the header with its empty line, fields in this order: Date, From, To, Message-ID, Subject,
/// MIME-Version, Content-Type, Content-Transfer-Encoding, Content-Disposition, Conversation-ID,
/// Contribution-ID, InReplyTo-Contribution-ID, IMDN-Message-ID, Message-Direction, Message-Correlator,
/// Message-Context, P-Asserted-Service. Subject and correlator become RFC 2047 words where they are not
/// printable ASCII; any other value with a control character, or longer than its limit, is a fault: nothing a
/// peer sends makes a field of its own.
tl::expected<std::string, Fault> WriteObjectHead(const ObjectHead& head, const EntityFields& entity);

/// "2016-03-02T09:15:01.000Z", for CPIM's DateTime (RFC 3339 §5.6).
std::string FormatIsoDateTime(const InternalDate& date);

/// Milliseconds since 1970 of an xsd:dateTime ("2016-03-02T10:15:01.5+01:00"; without a zone: UTC), cut to
/// whole milliseconds. nullopt: it is none.
std::optional<std::int64_t> ParseIsoDateTime(std::string_view text);

/// "Wed, 02 Mar 2016 10:15:01 +0100" (RFC 5322 §3.3).
std::string FormatHeaderDate(const InternalDate& date);

}  // namespace protocol::cpm
