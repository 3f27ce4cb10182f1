#include "protocol/sasl/scram_keys.h"

#include <charconv>

#include <fmt/format.h>

#include "protocol/sasl/scram_crypto.h"
#include "protocol/text/base64.h"
#include "protocol/text/saslprep.h"

namespace protocol::sasl {
namespace {

/// Takes what stands before `end` off the front of `text`.
std::optional<std::string_view> TakeUntil(std::string_view& text, char end) {
  const auto at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const auto taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return taken;
}

std::optional<std::uint32_t> Number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string_view NameOf(ScramHash hash) { return hash == ScramHash::kSha1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256"; }

ScramKeys MakeScramKeys(ScramHash hash, std::string_view password, std::string_view salt,
                        std::uint32_t iterations) {
  const auto prepared = text::SaslPrep(password);
  const auto salted = Stretch(hash, prepared ? *prepared : password, salt, iterations);
  return {.salt = std::string(salt),
          .iterations = iterations,
          .stored_key = Digest(hash, Hmac(hash, salted, "Client Key")),
          .server_key = Hmac(hash, salted, "Server Key")};
}

std::string WriteScramKeys(ScramHash hash, const ScramKeys& keys) {
  return fmt::format("{}${}:{}${}:{}", NameOf(hash), keys.iterations, text::EncodeBase64(keys.salt),
                     text::EncodeBase64(keys.stored_key), text::EncodeBase64(keys.server_key));
}

// scheme "$" iterations ":" salt "$" StoredKey ":" ServerKey
std::optional<ScramKeys> ReadScramKeys(ScramHash hash, std::string_view text) {
  const auto scheme = TakeUntil(text, '$');
  const auto iterations = TakeUntil(text, ':');
  const auto salt = TakeUntil(text, '$');
  const auto stored_key = TakeUntil(text, ':');
  if (!scheme || !iterations || !salt || !stored_key || *scheme != NameOf(hash)) return std::nullopt;
  const auto number = Number(*iterations);
  const auto salt_octets = text::DecodeBase64(*salt);
  const auto stored = text::DecodeBase64(*stored_key);
  const auto server = text::DecodeBase64(text);
  if (!number || *number < kMinScramIterations || *number > kMaxScramIterations) return std::nullopt;
  if (!salt_octets || salt_octets->size() != kScramSalt) return std::nullopt;
  if (!stored || stored->size() != SizeOf(hash) || !server || server->size() != SizeOf(hash))
    return std::nullopt;
  return ScramKeys{*salt_octets, *number, *stored, *server};
}

}  // namespace protocol::sasl
