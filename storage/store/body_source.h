#pragma once

#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "protocol/mime/source.h"
#include "storage/schema/keys.h"
#include "storage/store/message.h"

namespace storage {

/// The octets of one object, read chunk by chunk; the chunk read last is kept, so memory is one chunk.
class BodySource final : public protocol::mime::Source {
 public:
  /// Reads a row of `bodies`; what it refers to outlives the source.
  using GetChunk = std::function<Result<std::optional<std::string>>(const std::string& key)>;

  BodySource(AccountId account, ObjectId object, std::uint64_t size, GetChunk get)
      : account_(account), object_(object), size_(size), get_(std::move(get)) {}

  std::uint64_t size() const override { return size_; }

  std::int64_t Read(std::uint64_t offset, std::span<char> out) override {
    if (offset >= size_ || out.empty()) return 0;
    const std::size_t at = offset % StagedBody::kChunk;
    if (!Load(offset) || at >= octets_.size()) return -1;
    const std::size_t n = std::min(out.size(), octets_.size() - at);
    std::memcpy(out.data(), octets_.data() + at, n);
    return static_cast<std::int64_t>(n);
  }

  std::int64_t Give(std::uint64_t offset, std::size_t most, std::string& out) override {
    out.clear();
    if (offset >= size_ || most == 0) return 0;
    const std::size_t at = offset % StagedBody::kChunk;
    if (!Load(offset) || at >= octets_.size()) return -1;
    if (at == 0 && octets_.size() <= most) {
      out = std::move(octets_);
      chunk_.reset();
    } else {
      out.assign(octets_, at, most);
    }
    return static_cast<std::int64_t>(out.size());
  }

 private:
  /// The chunk that the octet lies in.
  bool Load(std::uint64_t offset) {
    const auto chunk = static_cast<std::uint32_t>(offset / StagedBody::kChunk);
    if (chunk == chunk_) return true;
    auto value = get_(schema::ChunkKey{account_, object_, chunk}.Encode());
    if (!value || !*value) return false;
    octets_ = **std::move(value);
    chunk_ = chunk;
    return true;
  }

  AccountId account_;
  ObjectId object_;
  std::uint64_t size_;
  GetChunk get_;
  std::optional<std::uint32_t> chunk_;
  std::string octets_;
};

}  // namespace storage
