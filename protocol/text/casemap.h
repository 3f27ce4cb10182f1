#pragma once

#include <string>
#include <string_view>

namespace protocol::text {

/// The form in which SORT and THREAD order and compare strings, octet by octet: i;unicode-casemap (RFC 5051
/// §2). Each character in its titlecase, decomposed for compatibility. Octets that are not UTF-8 come back as
/// they are (step 1.b). Pure ASCII takes a fast path.
///
/// SEARCH has Fold(): there a composed and a decomposed accent must be the same text, here they must be
/// ordered as the RFC says.
std::string UnicodeCasemap(std::string_view utf8);

}  // namespace protocol::text
