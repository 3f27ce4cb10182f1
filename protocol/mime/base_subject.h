#pragma once

#include <string>
#include <string_view>

namespace protocol::mime {

/// What SORT and THREAD make of a subject (RFC 5256 §2.1).
struct BaseSubject {
  std::string text;               ///< UTF-8
  bool reply_or_forward = false;  ///< a "Re:", "Fwd:", "(fwd)" or "[fwd: ...]" was taken off (§3, REFERENCES)
  friend bool operator==(const BaseSubject&, const BaseSubject&) = default;
};

/// Of the unfolded value of a Subject field. Linear in its length.
BaseSubject BaseSubjectOf(std::string_view subject);

}  // namespace protocol::mime
