#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// zlib's z_stream, without its header.
struct z_stream_s;

namespace server::net {

/// One end of a connection whose both directions are DEFLATE without a header (RFC 4978, RFC 1951).
///
/// zlib's workings take about 90 KiB. Between two bursts Rest() gives them back and keeps only text that has
/// passed: what the peer may still refer to (up to 32 KiB, if it has sent as much), and a little of what it
/// was sent.
///
/// Thread     one at a time.
/// Errors     std::bad_alloc when zlib finds no memory.
class Deflate {
 public:
  Deflate();
  ~Deflate();
  Deflate(const Deflate&) = delete;

  /// Appends `text`, compressed, to `out`; the peer can read all of it at once.
  void Compress(std::string_view text, std::string& out);

  /// Octets from the peer. REQUIRES: NeedsInput().
  void Feed(std::string_view octets) { input_ = octets; }
  /// Expand() has given all that can be had of what was fed.
  bool NeedsInput() const { return input_.empty() && !full_; }
  /// Fills `space` as far as what was fed goes; how much of it. nullopt: the octets are not DEFLATE's, or
  /// their stream has ended; nothing comes after that.
  std::optional<std::size_t> Expand(std::span<char> space);

  /// Nothing is to be sent or received soon. REQUIRES: NeedsInput().
  void Rest();

  /// Of heap memory, about.
  std::size_t HeapBytes() const;

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };
  using Workings = std::unique_ptr<z_stream_s, End>;

  Workings deflating_;  ///< empty: at rest
  Workings inflating_;
  std::string sent_;             ///< text before what `deflating_` will compress first, if it is at rest
  std::string received_;         ///< the same of `inflating_`
  std::string input_;            ///< not yet expanded
  bool full_ = false;            ///< the last Expand() may have more to give
  bool between_blocks_ = false;  ///< what follows can be expanded without the state of `inflating_`
};

}  // namespace server::net
