#pragma once

#include <string>
#include <string_view>

namespace protocol::text {

/// The form in which SEARCH compares: two strings match when the folded one contains the folded other.
/// Unicode's NFKC_Casefold: case, width, ligatures and invisible characters do not matter, accents do. Close
/// to i;unicode-casemap (RFC 5051), save that composed and decomposed accents meet in the composed form.
///
/// Malformed UTF-8 becomes U+FFFD. Idempotent. Pure ASCII takes a fast path. Folding text line by line equals
/// folding it whole: LF is never changed and never combines.
std::string Fold(std::string_view utf8);

/// The same, appended to `out`.
void AppendFolded(std::string_view utf8, std::string& out);

}  // namespace protocol::text
