#pragma once

#include <string>
#include <string_view>

#include "protocol/cpm/fault.h"

namespace protocol::cpm {

/// An instant message disposition notification (RFC 5438 §7.2, message/imdn+xml).
struct Imdn {
  enum class Type { kDelivery, kDisplay, kProcessing };
  enum class Status { kDelivered, kFailed, kForbidden, kError, kDisplayed, kProcessed, kStored };

  std::string message_id;              ///< of the message that is reported on
  std::string date_time;               ///< RFC 3339, as spelled: when that message was sent
  std::string recipient_uri;           ///< empty: absent
  std::string original_recipient_uri;  ///< empty: absent
  std::string subject;                 ///< empty: absent
  Type type = Type::kDelivery;
  Status status = Status::kDelivered;

  friend bool operator==(const Imdn&, const Imdn&) = default;
};

std::string_view ToString(Imdn::Type type);      ///< "delivery"
std::string_view ToString(Imdn::Status status);  ///< "delivered", the element's name

/// True for the pairs of RFC 5438 §7.2.1: "displayed" belongs to display alone, and so on.
bool Fits(Imdn::Type type, Imdn::Status status);

/// Unknown elements are skipped. Faults: not well-formed, no message-id or datetime, no notification, or a
/// status that its notification does not have.
tl::expected<Imdn, Fault> ReadImdn(std::string_view xml);

/// A fault when message-id or datetime are empty, a text is not UTF-8, holds controls or (but for the
/// subject, which loses it) has white space around it, the status does not fit, or all is over the limit.
tl::expected<std::string, Fault> WriteImdn(const Imdn& imdn);

}  // namespace protocol::cpm
