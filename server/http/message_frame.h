#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/model/flags.h"
#include "protocol/model/ids.h"
#include "protocol/model/internal_date.h"

namespace server::http {

/// How messages travel between cms-admin and cmsd, both ways: for each one line of JSON, then exactly `size`
/// octets, then the next.
///
///   {"size":9,"uid":42,"date":" 7-Feb-1994 22:43:04 -0800","flags":["\\Seen","work"]}\n
///   From: x\n
///   \n
///
/// `uid` is informative; the importing side gives its own.
struct MessageFrame {
  std::uint64_t size = 0;
  std::optional<protocol::Uid> uid;
  std::optional<protocol::InternalDate> date;  ///< absent: the time of import
  protocol::FlagSet flags;

  friend bool operator==(const MessageFrame&, const MessageFrame&) = default;
};

inline constexpr std::size_t kMaxFrameLine = 16 * 1024;
inline constexpr std::string_view kMessageStreamType = "application/vnd.cmsd.messages";

/// With its line end.
std::string Encode(const MessageFrame& frame);

/// `line` without its end; nullopt if it is none, or names a flag or a date that cannot be.
std::optional<MessageFrame> DecodeFrame(std::string_view line);

}  // namespace server::http
