#include "server/auth/password_record.h"

#include <sodium.h>

#include "protocol/sasl/scram_crypto.h"
#include "protocol/text/base64.h"
#include "server/auth/password_hash.h"

namespace server::auth {
namespace {

using protocol::sasl::ScramHash;
using protocol::sasl::ScramKeys;

std::string RandomOctets(std::size_t size) {
  std::string out(size, '\0');
  randombytes_buf(out.data(), out.size());
  return out;
}

std::string KeysWord(ScramHash hash, std::string_view password, std::uint32_t iterations) {
  const auto salt = RandomOctets(protocol::sasl::kScramSalt);
  return " " + WriteScramKeys(hash, MakeScramKeys(hash, password, salt, iterations));
}

}  // namespace

std::string_view HashIn(std::string_view record) { return record.substr(0, record.find(' ')); }

std::optional<ScramKeys> ScramKeysIn(std::string_view record, ScramHash hash) {
  for (auto space = record.find(' '); space != std::string_view::npos; space = record.find(' ')) {
    record.remove_prefix(space + 1);
    if (auto keys = ReadScramKeys(hash, HashIn(record))) return keys;
  }
  return std::nullopt;
}

std::string MakeRecord(std::string_view password, const ScramOptions& options) {
  std::string record = Hash(password);
  if (record.empty()) return record;
  record += KeysWord(ScramHash::kSha256, password, options.iterations);
  if (options.sha1) record += KeysWord(ScramHash::kSha1, password, options.iterations);
  return record;
}

ScramKeys NobodysKeys(std::string_view name, ScramHash hash, const ScramOptions& options) {
  using protocol::sasl::Hmac;
  const auto octets = [&](char what) {
    return Hmac(hash, options.secret, what + std::string(NameOf(hash)) + std::string(name));
  };
  return {.salt = Hmac(ScramHash::kSha256, options.secret, octets('s')).substr(0, protocol::sasl::kScramSalt),
          .iterations = options.iterations,
          .stored_key = octets('c'),
          .server_key = octets('k')};
}

std::string NewNonce() { return protocol::text::EncodeBase64(RandomOctets(18)); }

}  // namespace server::auth
