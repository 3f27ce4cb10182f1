#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "protocol/mime/inspect.h"
#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"

namespace protocol::mime {

/// How IMAP serves a message that a literal cannot hold, and what it says of it (RFC 3516 §6).
struct Reencoded {
  Served served;
  std::string body;  ///< in place of Inspection's
  std::string body_structure;
};

/// A leaf with a NUL under 7bit, 8bit or binary, declared or not, is served in base64, and a
/// Content-Transfer-Encoding field in its header says so, in place of the field that is there or before all
/// others. Everything else stays octet for octet. nullopt: no part is to be re-encoded (NULs in headers,
/// preambles and parts without a header stay where they are).
///
/// `parts` as Inspect() found them with `limits`. Memory: as Inspect().
tl::expected<std::optional<Reencoded>, SourceFailed> Reencode(Source& appended, const Parts& parts,
                                                              const InspectLimits& limits = {});

/// The message as served, made while it is read: any offset costs the same.
///
/// Lifetime   the message as appended outlives it.
class ReencodedSource final : public Source {
 public:
  /// `replacements` ascending and within the message.
  ReencodedSource(Source& appended, const std::vector<Replacement>& replacements);

  std::uint64_t size() const override { return size_; }
  std::int64_t Read(std::uint64_t offset, std::span<char> out) override;

 private:
  enum class Kind : std::uint8_t { kAsAppended, kField, kBase64 };
  struct Stretch {
    std::uint64_t at;      ///< in the message as served
    std::uint64_t begin;   ///< in the message as appended
    std::uint64_t length;  ///< likewise
    Kind kind;
  };
  void Add(Kind kind, std::uint64_t begin, std::uint64_t length);
  std::int64_t ReadBase64(const Stretch& stretch, std::uint64_t skip, std::span<char> out);

  Source& appended_;
  std::vector<Stretch> stretches_;
  std::uint64_t size_ = 0;
};

}  // namespace protocol::mime
