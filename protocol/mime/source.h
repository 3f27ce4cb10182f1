#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/mime/octets.h"

namespace protocol::mime {

/// Octets of one message, wherever they lie: in memory, or in the store's chunks.
///
/// Thread     one user at a time.
/// Lifetime   the octets do not change while a Source is in use.
class Source {
 public:
  virtual ~Source() = default;

  /// Octets in all; constant.
  virtual std::uint64_t size() const = 0;

  /// Copies octets from `offset` on into `out`. Answers how many: at least 1 unless `out` is empty or
  /// `offset` is at or past the end (then 0), possibly fewer than fit; negative when the octets cannot be
  /// had.
  virtual std::int64_t Read(std::uint64_t offset, std::span<char> out) = 0;

  /// The same in place of what `out` holds, at most `most` octets: a source that has them somewhere shares
  /// them, and they are not copied.
  virtual std::int64_t Share(std::uint64_t offset, std::size_t most, Octets& out) {
    std::string octets(most, '\0');
    const std::int64_t got = Read(offset, octets);
    octets.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    out = Octets(std::move(octets));
    return got;
  }
};

/// The source could not give its octets. Carries nothing: the source's owner knows why.
struct SourceFailed {
  friend bool operator==(const SourceFailed&, const SourceFailed&) = default;
};

/// A message in memory, not owned.
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::string_view octets) : octets_(octets) {}

  std::uint64_t size() const override { return octets_.size(); }

  std::int64_t Read(std::uint64_t offset, std::span<char> out) override {
    if (offset >= octets_.size()) return 0;
    const std::string_view rest = octets_.substr(offset, out.size());
    if (!rest.empty()) std::memcpy(out.data(), rest.data(), rest.size());
    return static_cast<std::int64_t>(rest.size());
  }

 private:
  std::string_view octets_;
};

}  // namespace protocol::mime
