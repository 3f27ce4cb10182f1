#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "protocol/model/ids.h"
#include "protocol/model/section.h"

/// IMAP URLs (RFC 5092) that name a message or a part of one; any other is refused.
namespace protocol {

/// Who may fetch what a URL names (RFC 5092 §6.1.1; the registry of RFC 5593 §6).
struct UrlAccess {
  enum class Kind : std::uint8_t {
    kSubmit,     ///< "submit+userid": message submission on behalf of that user
    kUser,       ///< "user+userid": that user
    kAuthUser,   ///< "authuser": any user who is logged in
    kAnonymous,  ///< "anonymous": anybody
  };
  Kind kind = Kind::kUser;
  std::string user;  ///< with the first two
  friend bool operator==(const UrlAccess&, const UrlAccess&) = default;
};

/// ";PARTIAL=": octets of the section from `offset` on.
struct UrlPartial {
  std::uint32_t offset = 0;
  std::optional<std::uint32_t> count;  ///< nullopt: to the end
  friend bool operator==(const UrlPartial&, const UrlPartial&) = default;
};

/// ":<mech>:<token>": what makes a URL good without a password (RFC 4467 §3).
struct UrlVerifier {
  std::string mechanism;
  std::string token;  ///< hexadecimal, as spelled
  friend bool operator==(const UrlVerifier&, const UrlVerifier&) = default;
};

struct ImapUrl {
  std::string user;     ///< decoded; empty: none
  std::string host;     ///< as spelled; empty: the URL is relative, "/mailbox/;UID=1"
  std::string mailbox;  ///< UTF-8, canonical
  std::optional<UidValidity> uid_validity;
  Uid uid;
  std::optional<Section> section;
  std::optional<UrlPartial> partial;
  std::optional<std::int64_t> expire;  ///< Unix seconds: the last at which it is good. Only with `access`
  std::optional<UrlAccess> access;
  std::optional<UrlVerifier> verifier;  ///< only with `access`

  friend bool operator==(const ImapUrl&, const ImapUrl&) = default;
};

/// What the URL says, or what was expected in its place: a static string, for the client. Strict, and with
/// nothing behind it; what it returns has passed every limit. Relative paths are refused (RFC 5092 §7.2).
tl::expected<ImapUrl, std::string_view> ParseImapUrl(std::string_view text);

/// The octets of an authorised URL that its token was made of (RFC 4467 §6): up to the ":" before the
/// mechanism, as they are. All of a URL that has no verifier.
std::string_view RumpOf(std::string_view text, const ImapUrl& url);

/// What stands between the brackets of BODY[...] (RFC 3501 §6.4.5), and back; nullopt: it is none.
std::string WriteSection(const Section& section);
std::optional<Section> ReadSection(std::string_view text);

/// The URL in the spelling of RFC 5092 §11, percent-encoded where that must be; reads the same again.
std::string WriteImapUrl(const ImapUrl& url);

}  // namespace protocol
