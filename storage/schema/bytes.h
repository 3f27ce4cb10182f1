#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace storage::schema {

/// Appends integers and strings. Fixed-width integers are big-endian, so that byte order is number order;
/// varints are LEB128 (7 bits an octet, least significant first, at most 10 octets).
class Writer {
 public:
  Writer& U8(std::uint8_t value) {
    out_.push_back(static_cast<char>(value));
    return *this;
  }
  Writer& U32(std::uint32_t value) { return Fixed(value, 4); }
  Writer& U64(std::uint64_t value) { return Fixed(value, 8); }
  Writer& Varint(std::uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
    return *this;
  }
  /// Small magnitudes of either sign take few octets.
  Writer& Signed(std::int64_t value) {
    return Varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  /// Varint length, then the octets.
  Writer& String(std::string_view value) {
    Varint(value.size());
    return Raw(value);
  }
  Writer& Raw(std::string_view value) {
    out_.append(value);
    return *this;
  }
  std::string Take() { return std::move(out_); }

 private:
  Writer& Fixed(std::uint64_t value, int octets) {
    for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8)
      out_.push_back(static_cast<char>(value >> shift));
    return *this;
  }
  std::string out_;
};

/// The inverse, on bytes that nobody vouches for. The first failure sticks: later calls give zero, and ok()
/// says so once.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  std::uint8_t U8() { return static_cast<std::uint8_t>(Fixed(1)); }
  std::uint32_t U32() { return static_cast<std::uint32_t>(Fixed(4)); }
  std::uint64_t U64() { return Fixed(8); }
  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto octet = Fixed(1);
      // The tenth octet has room for one bit; any other would be lost.
      if (shift == 63 && octet > 1) break;
      value |= (octet & 0x7f) << shift;
      if ((octet & 0x80) == 0) return value;
    }
    Fault();
    return 0;
  }
  std::int64_t Signed() {
    const std::uint64_t value = Varint();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  std::string_view String() { return Raw(Varint()); }
  std::string_view Raw(std::uint64_t size) {
    if (size > in_.size()) {
      Fault();
      return {};
    }
    const auto out = in_.substr(0, size);
    in_.remove_prefix(size);
    return out;
  }
  std::string_view Rest() { return Raw(in_.size()); }
  void Fault() {
    ok_ = false;
    in_ = {};
  }
  bool ok() const { return ok_; }
  /// Nothing failed and nothing is left over.
  bool Done() const { return ok_ && in_.empty(); }

 private:
  std::uint64_t Fixed(std::size_t octets) {
    if (in_.size() < octets) {
      Fault();
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < octets; ++i) value = value << 8 | static_cast<unsigned char>(in_[i]);
    in_.remove_prefix(octets);
    return value;
  }
  std::string_view in_;
  bool ok_ = true;
};

}  // namespace storage::schema
