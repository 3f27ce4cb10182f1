#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace protocol::write {

/// "* GENURLAUTH url ..." (RFC 4467 §8).
void GenUrlAuthLine(std::string& out, std::span<const std::string> urls);

/// One "* URLFETCH ..." response (RFC 4467 §8, RFC 5524 §3.2), URL by URL: Url(), and then either Nil() or
/// Literal() alone, or metadata: each of Structure() and Open() to Close(). The caller sends a literal's
/// octets by itself (flushing `out` as it likes).
class UrlFetchResponse {
 public:
  explicit UrlFetchResponse(std::string& out) : out_(out) { out_ += "* URLFETCH"; }

  void Url(std::string_view url);
  void Nil() { out_ += " NIL"; }
  /// " {size}CRLF".
  void Literal(std::uint64_t size);

  /// " (BODYPARTSTRUCTURE ...)"
  void Structure(std::string_view body);
  /// " (BODY {size}CRLF" or " (BINARY {size}CRLF"; Close() after the octets.
  void OpenBody(std::uint64_t size);
  /// `nul`: the octets hold NUL, so that it takes a literal8.
  void OpenBinary(std::uint64_t size, bool nul);
  void Close() { out_ += ')'; }
  /// " (BINARY NIL)": the transfer encoding is unknown.
  void BinaryNil() { out_ += " (BINARY NIL)"; }

  void End() { out_ += "\r\n"; }

 private:
  std::string& out_;
};

}  // namespace protocol::write
