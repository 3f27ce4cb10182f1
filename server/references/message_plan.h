#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "protocol/text/base64_lines.h"
#include "server/references/part_reader.h"

namespace server::references {

/// A message that is put together of texts, of stored octets as they are, and of parts in base64. Its size is
/// known before an octet is read, and no more than a piece is in memory.
///
/// Lifetime   the store outlives it.
/// Calls block.
class MessagePlan {
 public:
  void AddText(std::string text);
  /// Octets of the message that `whole` has opened, as appended.
  void AddStored(std::shared_ptr<PartReader> whole, protocol::mime::Extent extent);
  /// All that is left of a part that has begun and is the plan's alone, as it is or in base64 (RFC 2045
  /// §6.8).
  void AddPart(std::unique_ptr<PartReader> part, bool base64);
  void Add(MessagePlan other);

  std::uint64_t size() const { return size_; }  ///< of what has not been taken
  /// Octets in memory, of a plan without AddStored(): its texts, and of each part the first piece and what
  /// reads it.
  std::uint64_t held() const;
  bool done() const { return pieces_.empty(); }
  /// Appends the next piece: a text, or about 256 KiB; false: it cannot be read.
  bool Take(std::string& to);

 private:
  bool TakeOne(std::string& to);

  struct Piece {
    std::string text;
    std::shared_ptr<PartReader> from;
    protocol::mime::Extent stored;  ///< of `from`, which is a whole message
    bool part = false;              ///< else `stored` counts
    std::unique_ptr<protocol::text::Base64Lines> lines;
  };
  std::deque<Piece> pieces_;
  std::uint64_t size_ = 0;
};

/// Octets that base64 makes of `octets`, in lines of 76 without a line end behind the last.
std::uint64_t Base64Size(std::uint64_t octets);

}  // namespace server::references
