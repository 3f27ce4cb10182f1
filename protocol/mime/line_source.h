#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/mime/source.h"

namespace protocol::mime {

/// A line or a stretch of one. A line longer than the buffer comes in several pieces; only a first piece
/// starts it, and that has at least 1 KiB of it.
struct Piece {
  std::string_view octets;  ///< valid until the next call
  std::uint64_t offset = 0;
  bool starts_line = true;
  bool ends_line = true;  ///< ends in LF
};

/// Reads a Source front to back through one buffer of at most 64 KiB.
class LineSource {
 public:
  explicit LineSource(Source& source);

  /// The next line; false at the end or on failure.
  bool NextLine(Piece& piece);

  /// One line that begins with "--", or any number of others up to the next such line or the end of what is
  /// buffered.
  bool NextUpToDashes(Piece& piece);

  bool failed() const { return failed_; }

  /// Among what was read so far.
  bool has_nul() const { return has_nul_; }

  /// Where the next piece begins.
  std::uint64_t offset() const { return offset_; }

 private:
  std::string_view Buffered() const { return {buffer_.data() + begin_, end_ - begin_}; }
  bool Fill();
  void Give(std::size_t length, Piece& piece);

  Source& source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;  ///< of buffer_[begin_]
  bool at_line_start_ = true;
  bool failed_ = false;
  bool has_nul_ = false;
};

}  // namespace protocol::mime
