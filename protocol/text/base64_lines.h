#pragma once

#include <string>
#include <string_view>

#include "protocol/text/base64.h"

namespace protocol::text {

/// RFC 2045 §6.8, octets as they come: lines of 76 characters, CRLF between them and none after the last.
class Base64Lines {
 public:
  void Add(std::string& out, std::string_view octets) {
    if (held_.size() + octets.size() < kOctetsALine) {
      held_ += octets;
      return;
    }
    out.reserve(out.size() + (held_.size() + octets.size()) / kOctetsALine * 78);
    if (!held_.empty()) {
      const auto missing = kOctetsALine - held_.size();
      held_ += octets.substr(0, missing);
      octets.remove_prefix(missing);
      Line(out, held_);
      held_.clear();
    }
    for (; octets.size() >= kOctetsALine; octets.remove_prefix(kOctetsALine))
      Line(out, octets.substr(0, kOctetsALine));
    held_ = octets;
  }

  /// What is left over. Nothing may be added after it.
  void End(std::string& out) {
    if (!held_.empty()) Line(out, held_);
    held_.clear();
  }

 private:
  static constexpr std::size_t kOctetsALine = 57;

  void Line(std::string& out, std::string_view octets) {
    if (begun_) out += "\r\n";
    begun_ = true;
    AppendBase64(out, octets);
  }

  std::string held_;  ///< less than a line
  bool begun_ = false;
};

}  // namespace protocol::text
