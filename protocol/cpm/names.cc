#include "protocol/cpm/names.h"

#include <fmt/format.h>

#include "protocol/cpm/address.h"
#include "protocol/model/ascii.h"
#include "protocol/model/mailbox_name.h"

namespace protocol::cpm {
namespace {

bool StandsForItself(char c) {
  return ascii::IsAlpha(c) || ascii::IsDigit(c) ||
         std::string_view("-._~:@+!$'(),;=").find(c) != std::string_view::npos;
}

}  // namespace

tl::expected<std::string, Fault> ConversationFolderName(std::string_view peer) {
  auto address = ParsePeer(peer);
  if (!address) return Fail("the peer's address is neither a tel nor a sip URI nor a telephone number");
  return *std::move(address);
}

tl::expected<std::string, Fault> FolderNameOfId(std::string_view id) {
  if (id.empty()) return Fail("the id is empty");
  const bool dots = id == "." || id == "..";
  std::string out;
  for (const char c : id) {
    if (StandsForItself(c) && !dots) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    if (out.size() > kMaxNameComponent) {
      return Fail(fmt::format("the id of {} octets makes a folder name of more than {}", id.size(),
                              kMaxNameComponent));
    }
  }
  return out;
}

}  // namespace protocol::cpm
