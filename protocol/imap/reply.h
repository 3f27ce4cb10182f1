#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/imap/response_code.h"

namespace protocol {

/// A status response (RFC 3501 §7.1): tagged, it ends a command; untagged, it informs.
struct Reply {
  enum class Status : std::uint8_t { kOk, kNo, kBad, kBye, kPreauth };

  Status status = Status::kOk;
  ResponseCode code;
  std::string text;  ///< for humans; control and 8-bit octets are written as '?'

  friend bool operator==(const Reply&, const Reply&) = default;
};

inline Reply Ok(std::string text) { return {Reply::Status::kOk, {}, std::move(text)}; }
inline Reply Ok(ResponseCode code, std::string text) {
  return {Reply::Status::kOk, std::move(code), std::move(text)};
}
inline Reply No(std::string text) { return {Reply::Status::kNo, {}, std::move(text)}; }
inline Reply No(ResponseCode code, std::string text) {
  return {Reply::Status::kNo, std::move(code), std::move(text)};
}
inline Reply Bad(std::string text) { return {Reply::Status::kBad, {}, std::move(text)}; }
inline Reply Bad(ResponseCode code, std::string text) {
  return {Reply::Status::kBad, std::move(code), std::move(text)};
}
inline Reply Bye(std::string text) { return {Reply::Status::kBye, {}, std::move(text)}; }
inline Reply Bye(ResponseCode code, std::string text) {
  return {Reply::Status::kBye, std::move(code), std::move(text)};
}

/// Appends "tag OK [CODE] text CRLF"; an empty tag gives "* ...".
void WriteTagged(std::string& out, std::string_view tag, const Reply& reply);
void WriteUntagged(std::string& out, const Reply& reply);

/// Appends "+ text CRLF" (RFC 3501 §7.5); for SASL the text is base64, possibly empty.
void WriteContinuation(std::string& out, std::string_view text);

}  // namespace protocol
