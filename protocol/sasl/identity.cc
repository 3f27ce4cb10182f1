#include "protocol/sasl/identity.h"

#include <cstddef>

#include "protocol/cpm/address.h"

namespace protocol::sasl {
namespace {

/// More than any name or password that an account may have; hashing costs time per octet.
constexpr std::size_t kMaxField = 1024;

}  // namespace

bool SameIdentity(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto address = cpm::ParseLogin(a);
  return address && address == cpm::ParseLogin(b);
}

bool IsAcceptable(std::string_view field) {
  return !field.empty() && field.size() <= kMaxField && field.find('\0') == std::string_view::npos;
}

}  // namespace protocol::sasl
