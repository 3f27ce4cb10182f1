#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/sasl/scram_keys.h"

/// The functions of RFC 5802 §2.2, on OpenSSL.
namespace protocol::sasl {

std::size_t SizeOf(ScramHash hash);
std::string Digest(ScramHash hash, std::string_view octets);
std::string Hmac(ScramHash hash, std::string_view key, std::string_view octets);
/// Hi(): PBKDF2 with HMAC.
std::string Stretch(ScramHash hash, std::string_view password, std::string_view salt,
                    std::uint32_t iterations);
/// Takes as long wherever they differ.
bool SameOctets(std::string_view a, std::string_view b);

}  // namespace protocol::sasl
