#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "protocol/mime/source.h"
#include "storage/schema/keys.h"
#include "storage/store/message.h"

namespace storage {

/// A row as a source shares it.
inline Result<std::optional<protocol::mime::Octets>> ToOctets(Result<std::optional<std::string>> row) {
  if (!row) return tl::unexpected<Error>(std::move(row).error());
  if (!*row) return std::optional<protocol::mime::Octets>{};
  return std::optional(protocol::mime::Octets(**std::move(row)));
}

/// The octets of one object, read chunk by chunk; the chunk read last is kept, so memory is one chunk, which
/// may be shared with others.
class BodySource final : public protocol::mime::Source {
 public:
  /// Reads a row of `bodies`; what it refers to outlives the source.
  using GetChunk = std::function<Result<std::optional<protocol::mime::Octets>>(const std::string& key)>;

  BodySource(AccountId account, ObjectId object, std::uint64_t size, GetChunk get)
      : account_(account), object_(object), size_(size), get_(std::move(get)) {}

  std::uint64_t size() const override { return size_; }

  std::int64_t Read(std::uint64_t offset, std::span<char> out) override {
    if (offset >= size_ || out.empty()) return 0;
    const std::size_t at = offset % StagedBody::kChunk;
    if (!Load(offset) || at >= octets_.size()) return -1;
    return static_cast<std::int64_t>(octets_.view().copy(out.data(), out.size(), at));
  }

  std::int64_t Share(std::uint64_t offset, std::size_t most, protocol::mime::Octets& out) override {
    out = {};
    if (offset >= size_ || most == 0) return 0;
    const std::size_t at = offset % StagedBody::kChunk;
    if (!Load(offset) || at >= octets_.size()) return -1;
    out = octets_.Part(at, most);
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
  protocol::mime::Octets octets_;
};

}  // namespace storage
