#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "protocol/mime/section.h"

namespace protocol::mime {

/// The octets of a section one after the other, as they stand or without their transfer encoding.
///
/// Lifetime   the source outlives it.
class OctetReader {
 public:
  OctetReader() = default;  ///< of none
  /// As they stand. `mask_nul`: NUL, which no literal may hold (RFC 3501 §9), is given as %x80.
  OctetReader(Source& source, Extent extent, bool mask_nul)
      : source_(&source), offset_(extent.offset), left_(extent.length), mask_nul_(mask_nul) {}
  /// Without encoding: `extent` of the DecodedSize() octets of the part. What stands before is decoded and
  /// dropped, unless the encoding is the identity.
  static tl::expected<OctetReader, DecodeError> Decoded(Source& source, const Part& part, Extent extent);

  std::uint64_t left() const { return left_; }

  /// Appends up to `count` of what is left; false: they cannot be had, nothing is appended.
  bool Read(std::string& to, std::uint64_t count);
  /// In place of what `to` holds, some of what is left, at least one if any are: as many as come at once, at
  /// most `most`. For who sends long sections, and is spared a copy where the source has them to share.
  bool ReadSome(Octets& to, std::uint64_t most);

 private:
  bool Fill(std::span<char> to);

  Source* source_ = nullptr;
  std::optional<Decoder> decoder_;  ///< else raw octets from `offset_`
  std::uint64_t offset_ = 0;
  std::uint64_t left_ = 0;
  bool mask_nul_ = false;
};

}  // namespace protocol::mime
