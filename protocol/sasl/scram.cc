#include "protocol/sasl/scram.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocol/sasl/scram_crypto.h"
#include "protocol/text/base64.h"

namespace protocol::sasl {
namespace {

/// More than any name that an account may have, and than the nonces of clients.
constexpr std::size_t kMaxName = 1024;
constexpr std::size_t kMaxNonce = 256;
constexpr std::size_t kMaxMessage = 8 * 1024;

tl::unexpected<ScramFault> Fault(ScramFault fault) { return tl::unexpected(fault); }

/// Takes what stands before the next comma, and the comma.
std::string_view TakeField(std::string_view& rest) {
  const auto comma = rest.find(',');
  const auto field = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return field;
}

// saslname = 1*(value-safe-char / "=2C" / "=3D")
std::optional<std::string> ReadName(std::string_view text) {
  if (text.empty() || text.size() > kMaxName || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("=2C") || text.starts_with("=3D")) {
      out += text[2] == 'C' ? ',' : '=';
      text.remove_prefix(3);
    } else if (text.front() == '=') {
      return std::nullopt;
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

// printable = %x21-2B / %x2D-7E
bool IsNonce(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNonce &&
         std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~' && c != ','; });
}

// attr-val = ALPHA "=" value
bool IsExtension(std::string_view field) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return field.size() >= 3 && letter(field[0]) && field[1] == '=' &&
         field.find('\0') == std::string_view::npos;
}

}  // namespace

ScramExchange::ScramExchange(ScramHash hash, bool plus, ChannelBindings bindings, bool plus_offered)
    : hash_(hash), plus_(plus), bindings_(std::move(bindings)), plus_offered_(plus_offered) {}

// gs2-header = gs2-cbind-flag "," [ "a=" saslname ] ","
std::optional<ScramFault> ScramExchange::ReadHeader(std::string_view& rest, std::string& authzid) {
  const std::string_view message = rest;
  const auto flag = TakeField(rest);
  std::string_view data;
  if (flag.starts_with("p=")) {
    if (!plus_) return ScramFault::kBinding;
    const auto type = flag.substr(2);
    if (type == "tls-exporter") data = bindings_.tls_exporter;
    if (type == "tls-server-end-point") data = bindings_.tls_server_end_point;
    if (data.empty()) return ScramFault::kBinding;
  } else if (flag != "n" && flag != "y") {
    return ScramFault::kMalformed;
  } else if (plus_) {
    return ScramFault::kBinding;
  } else if (flag == "y" && plus_offered_) {
    return ScramFault::kDowngraded;
  }
  if (rest.find(',') == std::string_view::npos) return ScramFault::kMalformed;
  const auto identity = TakeField(rest);
  if (!identity.empty()) {
    auto name = identity.starts_with("a=") ? ReadName(identity.substr(2)) : std::nullopt;
    if (!name) return ScramFault::kMalformed;
    authzid = *std::move(name);
  }
  channel_ = message.substr(0, message.size() - rest.size());
  channel_ += data;
  return std::nullopt;
}

// client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
tl::expected<ScramExchange::First, ScramFault> ScramExchange::ReadFirst(std::string_view message) {
  if (message.size() > kMaxMessage) return Fault(ScramFault::kMalformed);
  First first;
  std::string_view rest = message;
  if (const auto fault = ReadHeader(rest, first.authzid)) return Fault(*fault);
  first_bare_ = rest;
  if (rest.starts_with("m=")) return Fault(ScramFault::kExtension);
  const auto user = TakeField(rest);
  const auto nonce = TakeField(rest);
  if (!user.starts_with("n=") || !nonce.starts_with("r=") || !IsNonce(nonce.substr(2)))
    return Fault(ScramFault::kMalformed);
  while (!rest.empty())
    if (!IsExtension(TakeField(rest))) return Fault(ScramFault::kMalformed);
  auto name = ReadName(user.substr(2));
  if (!name) return Fault(ScramFault::kMalformed);
  first.name = *std::move(name);
  nonce_ = nonce.substr(2);
  return first;
}

std::string ScramExchange::Challenge(ScramKeys keys, std::string_view nonce) {
  keys_ = std::move(keys);
  nonce_ += nonce;
  server_first_ = fmt::format("r={},s={},i={}", nonce_, text::EncodeBase64(keys_.salt), keys_.iterations);
  return server_first_;
}

// client-final-message = channel-binding "," nonce ["," extensions] "," proof
tl::expected<std::string, ScramFault> ScramExchange::ReadFinal(std::string_view message) {
  if (message.size() > kMaxMessage) return Fault(ScramFault::kMalformed);
  const auto proof_at = message.rfind(",p=");
  if (proof_at == std::string_view::npos) return Fault(ScramFault::kMalformed);
  const auto without_proof = message.substr(0, proof_at);
  const auto proof = text::DecodeBase64(message.substr(proof_at + 3));
  std::string_view rest = without_proof;
  const auto binding = TakeField(rest);
  const auto nonce = TakeField(rest);
  while (!rest.empty())
    if (!IsExtension(TakeField(rest))) return Fault(ScramFault::kMalformed);
  if (!proof || proof->size() != SizeOf(hash_) || !binding.starts_with("c=") || !nonce.starts_with("r="))
    return Fault(ScramFault::kMalformed);
  const auto channel = text::DecodeBase64(binding.substr(2));
  if (!channel) return Fault(ScramFault::kMalformed);
  if (!SameOctets(*channel, channel_)) return Fault(ScramFault::kBinding);
  if (nonce.substr(2) != nonce_) return Fault(ScramFault::kWrongProof);

  const std::string auth_message = fmt::format("{},{},{}", first_bare_, server_first_, without_proof);
  std::string client_key = Hmac(hash_, keys_.stored_key, auth_message);  // the client's signature, as yet
  for (std::size_t i = 0; i < client_key.size(); ++i) client_key[i] ^= (*proof)[i];
  if (!SameOctets(Digest(hash_, client_key), keys_.stored_key)) return Fault(ScramFault::kWrongProof);
  return "v=" + text::EncodeBase64(Hmac(hash_, keys_.server_key, auth_message));
}

}  // namespace protocol::sasl
