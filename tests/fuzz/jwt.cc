// Any octets: the client's message of OAUTHBEARER, the token in it, and a set of keys. The fuzzer cannot
// sign, so no token is taken.

#include "server/auth/jwt.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/sasl/oauth.h"

namespace {

using namespace server::auth;

/// RFC 8037 appendix A.2; the other kinds are in the seeds.
const JwtKey& AKey() {
  static const auto keys = ReadJwks(
      R"({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
  return keys.value().at(0);
}

void Read(std::string_view token) {
  const auto parts = ReadJwt(token);
  if (!parts) return;
  if (parts->signed_octets.size() >= token.size()) std::abort();
  if (IsSignedBy(*parts, AKey())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Read(input);
  if (const auto message = protocol::sasl::ReadOauthMessage(input)) Read(message->token);
  if (const auto octets = DecodeBase64Url(input)) {
    if (DecodeBase64Url(EncodeBase64Url(*octets)) != octets) std::abort();
  }
  if (const auto keys = ReadJwks(input)) {
    if (keys->empty() || keys->size() > kMaxJwtKeys) std::abort();
    for (const auto& key : *keys) {
      if (key.key == nullptr || key.alg.empty()) std::abort();
    }
  }
  return 0;
}
