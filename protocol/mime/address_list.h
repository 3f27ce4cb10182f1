#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace protocol::mime {

/// Appends the address structures (RFC 3501 §7.4.2) of an unfolded address-list value to `out`, without the
/// parentheses around the list. Takes whatever it is given (RFC 5322 §3.4, §4.4 and beyond); stops once `out`
/// has `max` octets.
///
///   Bea <bea@x.example>           ("Bea" NIL "bea" "x.example")
///   bob                           (NIL NIL "bob" "")              never NIL: that would open a group
///   Team: a@x, b@x;               (NIL NIL "Team" NIL)(NIL NIL "a" "x")(NIL NIL "b" "x")(NIL NIL NIL NIL)
///   tel:+1555, <tel:+1555>        (NIL NIL "tel:+1555" "")        mailbox alone is the URI
///   sip:bea@x;user=phone          (NIL NIL "sip:bea" "x;user=phone")   mailbox@host is the URI
///
/// So a client that shows mailbox@host, or the mailbox alone where the host is empty, shows what CPM wrote.
/// By RFC 5322 "tel:" would open a group; no message of CPM means that.
void AppendAddresses(std::string_view value, std::size_t max, std::string& out);

}  // namespace protocol::mime
