#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace protocol::text {

/// Names that ToUtf8() takes, in any case and with the usual aliases ("latin1", "sjis").
bool IsKnownCharset(std::string_view charset);

/// Preferred MIME names, to be listed in [BADCHARSET (...)] (RFC 3501 §7.1). Far from all that are known.
std::span<const std::string_view> CommonCharsets();

/// `octets` in `charset` as UTF-8; what is malformed becomes U+FFFD. nullopt when the charset is unknown.
std::optional<std::string> ToUtf8(std::string_view octets, std::string_view charset);

/// True for well-formed UTF-8 (RFC 3629).
bool IsValidUtf8(std::string_view octets);

/// The same as ToUtf8() for text that comes in pieces, cut anywhere.
///
/// Thread     one user at a time.
class Utf8Converter {
 public:
  /// An unknown or empty charset is read as UTF-8, and octets that are not UTF-8 as Windows-1252: what
  /// unlabelled mail turns out to be.
  explicit Utf8Converter(std::string_view charset);
  Utf8Converter(Utf8Converter&&) noexcept;
  Utf8Converter& operator=(Utf8Converter&&) noexcept;
  ~Utf8Converter();

  /// Appends what `octets` become. `last`: no more will come, so an unfinished character is malformed.
  void Append(std::string_view octets, bool last, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace protocol::text
