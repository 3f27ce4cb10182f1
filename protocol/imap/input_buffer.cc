#include "protocol/imap/input_buffer.h"

#include <algorithm>
#include <cstring>

namespace protocol {

std::span<char> InputBuffer::Space(std::size_t wanted) {
  if (capacity_ - end_ < wanted) {
    const std::size_t held = size();
    if (capacity_ - held >= wanted) {
      std::memmove(data_.get(), data_.get() + begin_, held);
    } else {
      const std::size_t capacity = std::max(held + wanted, 2 * held);
      auto data = std::make_unique_for_overwrite<char[]>(capacity);
      if (held > 0) std::memcpy(data.get(), data_.get() + begin_, held);
      data_ = std::move(data);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = held;
  }
  return {data_.get() + end_, capacity_ - end_};
}

void InputBuffer::Consume(std::size_t n) {
  begin_ += n;
  if (begin_ == end_) begin_ = end_ = 0;
}

void InputBuffer::Release() {
  data_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace protocol
