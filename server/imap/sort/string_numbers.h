#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string_view>
#include <unordered_map>

namespace server::imap::sort {

/// Numbers strings in the order in which they are first seen, from 0. Each is kept once.
class StringNumbers {
 public:
  struct Number {
    std::uint32_t value = 0;
    bool fresh = false;
  };
  Number Of(std::string_view text) {
    const auto found = numbers_.find(text);
    if (found != numbers_.end()) return {found->second, false};
    auto* const octets = static_cast<char*>(arena_.allocate(text.size() + 1, 1));
    text.copy(octets, text.size());
    const auto number = static_cast<std::uint32_t>(numbers_.size());
    numbers_.emplace(std::string_view(octets, text.size()), number);
    memory_ += text.size() + kEntry;
    return {number, true};
  }
  std::size_t size() const { return numbers_.size(); }
  std::size_t memory() const { return memory_; }

 private:
  static constexpr std::size_t kEntry = 64;  ///< an entry of the map and its bucket, about

  std::pmr::monotonic_buffer_resource arena_;
  std::pmr::unordered_map<std::string_view, std::uint32_t> numbers_{&arena_};
  std::size_t memory_ = 0;
};

}  // namespace server::imap::sort
