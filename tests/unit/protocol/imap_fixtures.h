#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/imap/command.h"

/// Commands as clients send them, shared by the tests of the parser and of the reader.
namespace protocol::testing {

struct Accepted {
  std::string_view name;
  std::string wire;
  Command command;
};

struct Rejected {
  std::string_view name;
  std::string wire;
  std::size_t offset;
  std::string_view expected;
};

const std::vector<Accepted>& AcceptedCommands();
const std::vector<Rejected>& RejectedCommands();

}  // namespace protocol::testing
