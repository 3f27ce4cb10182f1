#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "protocol/mime/parts.h"

namespace protocol::mime {

/// Undoes base64 or quoted-printable in pieces, cut anywhere; any other encoding passes through. GMime's
/// decoder: skips what is not of the alphabet, leaves a broken =XX as it stands.
class TransferDecoder {
 public:
  explicit TransferDecoder(Encoding encoding);
  TransferDecoder(TransferDecoder&&) noexcept;
  TransferDecoder& operator=(TransferDecoder&&) noexcept;
  ~TransferDecoder();

  /// Octets to make room for before Step() of `size` octets.
  std::size_t Room(std::size_t size) const;

  /// Writes at most Room(in.size()) octets to `out`; answers how many.
  std::size_t Step(std::string_view in, char* out);

  /// After the last Step(): what was held back. At most Room(0) octets.
  std::size_t Flush(char* out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace protocol::mime
