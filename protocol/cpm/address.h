#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace protocol::cpm {

/// The one folder name for callers who withhold their identity; their asserted number never shows.
inline constexpr std::string_view kAnonymousAddress = "sip:anonymous@anonymous.invalid";

/// The canonical form of an address in any of the ways it comes: a bare URI, a name-addr ("Bea" <sip:bea@x>),
/// header parameters behind it. One peer yields one string:
///
///   tel:, and sip:/sips: with user=phone or a user part "+digits"   -> tel:+15550100222 (RFC 3966 §5.1.1: no
///   separators,
///                                                                      no parameters; a local number:
///                                                                      tel:12345)
///   any other sip:/sips:                                            -> sip:user@host: host lower-case, no
///   parameters, headers,
///                                                                      password, port 5060; another port
///                                                                      stays
///   anonymous@anonymous.invalid, sip:anonymous@..., "Anonymous"     -> kAnonymousAddress
///
/// The user part of a sip address keeps its case (RFC 3261 §19.1.4), percent-escapes of unreserved characters
/// are undone. nullopt when it is none of these or exceeds 255 octets; the result is printable ASCII without
/// spaces or '/'.
std::optional<std::string> Canonical(std::string_view address);

/// What a person types to log in -> the canonical form: all that Canonical() takes, and without a scheme
/// "+15550100111" (tel:), "+1 (555) 010-0111", "user1@example.com" (sip:). Digits alone ("15550100111") are
/// taken as the international number without its plus: tel:+15550100111. An anonymous address is nobody's
/// login.
std::optional<std::string> ParseLogin(std::string_view text);

/// The peer that a header value names: From, To, P-Asserted-Identity, Referred-By. Takes what ParseLogin()
/// takes, alone or as a list. Of a list, any withheld identity counts before all others, so that an asserted
/// number never shows; then the first tel, then the first sip (spec note 1.2). nullopt when it names nobody.
/// Looks at the first kMaxAddressList octets and kMaxAddresses addresses.
std::optional<std::string> ParsePeer(std::string_view value);

}  // namespace protocol::cpm
