#include "server/imap/services.h"

#include <array>

#include <unistd.h>

namespace server::imap {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

}  // namespace

ImapOptions OptionsFrom(const config::Config& config) {
  ImapOptions options;
  options.plaintext_login_on_loopback =
      config.imap.allow_plaintext_login == config::PlaintextLogin::kLoopback;
  options.scram_without_tls = config.auth.scram_without_tls;
  options.scram_sha1 = config.auth.scram_sha1;
  options.append_limit = std::uint64_t{config.limits.append_mib} << 20;
  options.metadata_value_limit = config.limits.metadata_value_octets;
  options.pf_may_set_quota = config.pf.may_set_quota;
  options.login_limit = config.limits.login_timeout;
  options.command_limit = config.limits.command_timeout;
  options.transfer_stall = config.limits.literal_stall;
  options.idle_limit = config.limits.idle_timeout;
  options.write_stall = config.limits.write_stall;
  options.urls.host = config.imap.server_name.empty() ? HostName() : config.imap.server_name;
  options.urls.authuser = config.urlauth.authuser;
  options.urls.anonymous = config.urlauth.anonymous;
  return options;
}

}  // namespace server::imap
