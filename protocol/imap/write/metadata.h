#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

/// METADATA responses (RFC 5464 §4.4).
namespace protocol::write {

/// "* METADATA mailbox (entry value ...)"; the mailbox as UTF-8, empty: the server. At least one Add().
class MetadataLine {
 public:
  MetadataLine(std::string& out, std::string_view utf8_mailbox);
  /// nullopt: NIL. A value with NUL goes as literal8, which every client of METADATA must read.
  void Add(std::string_view entry, std::optional<std::string_view> value);
  void End();

 private:
  std::string& out_;
  bool first_ = true;
};

/// The unsolicited form: "* METADATA mailbox entry ...", names only, at least one (RFC 5464 §4.4.2).
void MetadataChangedLine(std::string& out, std::string_view utf8_mailbox,
                         std::span<const std::string> entries);

}  // namespace protocol::write
