#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/imap/command/quota.h"

/// Responses of RFC 9208 §4.2.
namespace protocol::write {

/// "* QUOTA root (resource use limit ...)", use and limit in the resource's unit.
class QuotaLine {
 public:
  QuotaLine(std::string& out, std::string_view root);
  void Add(QuotaResource resource, std::uint64_t use, std::uint64_t limit);
  void End();

 private:
  std::string& out_;
  bool first_ = true;
};

/// "* QUOTAROOT mailbox root", of a mailbox with one root. `utf8_mailbox` is UTF-8.
void QuotaRootLine(std::string& out, std::string_view utf8_mailbox, std::string_view root);

}  // namespace protocol::write
