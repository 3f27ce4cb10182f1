#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace protocol::cpm {

/// Why octets are not what they claim to be, or why something cannot be written.
struct Fault {
  std::string
      text;  ///< a clause in English without a full stop, printable ASCII: "the IMDN has no message-id"
  friend bool operator==(const Fault&, const Fault&) = default;
};

inline tl::unexpected<Fault> Fail(std::string text) { return tl::unexpected<Fault>(Fault{std::move(text)}); }

}  // namespace protocol::cpm
