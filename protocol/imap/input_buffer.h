#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace protocol {

/// Received octets that nobody has taken yet: a flat buffer that grows at its end and shrinks at its start.
///
/// Invariant  no heap memory when Release() was called on an empty buffer.
class InputBuffer {
 public:
  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  std::size_t size() const { return end_ - begin_; }
  std::size_t capacity() const { return capacity_; }

  /// At least `wanted` octets to write into; moves or reallocates what is there, so views die.
  std::span<char> Space(std::size_t wanted);
  void Grow(std::size_t n) { end_ += n; }
  /// Takes `n` octets off the start; views stay valid.
  void Consume(std::size_t n);
  void Clear() { begin_ = end_ = 0; }
  /// Gives the memory back; the octets must have been consumed.
  void Release();

 private:
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace protocol
