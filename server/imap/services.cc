#include "server/imap/services.h"

namespace server::imap {

ImapOptions OptionsFrom(const config::Config& config) {
  ImapOptions options;
  options.plaintext_login_on_loopback =
      config.imap.allow_plaintext_login == config::PlaintextLogin::kLoopback;
  options.append_limit = std::uint64_t{config.limits.append_mib} << 20;
  options.metadata_value_limit = config.limits.metadata_value_octets;
  options.login_limit = config.limits.login_timeout;
  options.command_limit = config.limits.command_timeout;
  options.transfer_stall = config.limits.literal_stall;
  options.idle_limit = config.limits.idle_timeout;
  options.write_stall = config.limits.write_stall;
  return options;
}

}  // namespace server::imap
