#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/model/ids.h"
#include "storage/store/mail_store.h"

/// The tokens of authorised URLs: URLAUTH's mechanism INTERNAL (RFC 4467 §2.4.1), and those of references
/// that are on record. All are in hexadecimal, lower case, and one spelling is right; all end with the
/// folder's key.
namespace server::references {

/// 32 octets from the system's source of randomness: a mailbox access key.
std::string NewUrlKey();

/// The folder's key, a new one if it has none. Blocks.
storage::Result<std::string> UrlKeyOf(storage::MailStore& store, storage::FolderRef folder);

/// 01, then HMAC-SHA-256 of `rump` under `key`. The first octet names the algorithm.
std::string UrlToken(std::string_view key, std::string_view rump);

/// Whether `token` is that, in as much time whatever it is. One spelling is right: upper case is not.
bool IsUrlToken(std::string_view token, std::string_view key, std::string_view rump);

/// Of an IMAP URL that is on record as reference `id` of its account: 02, the id in 8 octets, then
/// HMAC-SHA-256 of both and `rump`.
std::string RecordedUrlToken(std::string_view key, std::uint64_t id, std::string_view rump);
/// The id that such a token names; nullopt: it is none of these.
std::optional<std::uint64_t> RecordedIn(std::string_view token);
bool IsRecordedUrlToken(std::string_view token, std::string_view key, std::uint64_t id,
                        std::string_view rump);

/// Of an HTTP URL, all by itself: 03, the account's and the reference's id in 8 octets each, then
/// HMAC-SHA-256 of these.
struct WebToken {
  protocol::AccountId account;
  std::uint64_t id = 0;
};
std::string WriteWebToken(std::string_view key, const WebToken& names);
/// What a token names, which is not yet proved; nullopt: it is none.
std::optional<WebToken> ReadWebToken(std::string_view token);
bool IsWebToken(std::string_view token, std::string_view key, const WebToken& names);

/// Which key it is, in 8 octets that do not give it away.
std::string KeyCheck(std::string_view key);

}  // namespace server::references
