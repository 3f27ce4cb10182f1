#include <algorithm>
#include <array>
#include <utility>

#include "protocol/mime/section.h"
#include "protocol/mime/transfer_decoder.h"

namespace protocol::mime {
namespace {

constexpr std::size_t kPiece = 16U * 1024;

tl::unexpected<DecodeError> Fail(DecodeError::Kind kind) {
  return tl::unexpected<DecodeError>(DecodeError{kind});
}

}  // namespace

bool IsIdentity(const Part& part) {
  return part.kind != PartKind::kLeaf || part.encoding == Encoding::k7Bit ||
         part.encoding == Encoding::k8Bit || part.encoding == Encoding::kBinary;
}

struct Decoder::State {
  State(Source& octets, const Part& part)
      : source(octets),
        at(part.body_begin),
        end(part.body_end),
        identity(IsIdentity(part)),
        transfer(identity ? Encoding::kBinary : part.encoding) {}

  Source& source;
  std::uint64_t at;
  std::uint64_t end;
  bool identity;
  TransferDecoder transfer;
  std::array<char, kPiece> encoded;
  std::string decoded;
  std::size_t given = 0;  ///< of `decoded`
  bool flushed = false;

  /// Octets read; 0 at the end of the part, negative on failure.
  std::int64_t Pull(std::span<char> out) {
    const std::size_t most = std::min<std::uint64_t>(out.size(), end - at);
    if (most == 0) return 0;
    const std::int64_t got = source.Read(at, out.first(most));
    if (got <= 0) return -1;  // the part's octets must be there
    at += static_cast<std::uint64_t>(got);
    return got;
  }

  /// Refills `decoded`; false on failure. Leaves it empty at the end.
  bool Refill() {
    given = 0;
    decoded.clear();
    while (decoded.empty() && !flushed) {
      const std::int64_t got = Pull(encoded);
      if (got < 0) return false;
      const auto size = static_cast<std::size_t>(got);
      decoded.resize(transfer.Room(size));
      flushed = size == 0;
      decoded.resize(flushed ? transfer.Flush(decoded.data())
                             : transfer.Step({encoded.data(), size}, decoded.data()));
    }
    return true;
  }
};

Decoder::Decoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

tl::expected<Decoder, DecodeError> Decoder::Open(Source& source, const Part& part) {
  if (part.kind == PartKind::kLeaf && part.encoding == Encoding::kUnknown) {
    return Fail(DecodeError::Kind::kUnknownEncoding);
  }
  return Decoder(std::make_unique<State>(source, part));
}

tl::expected<std::size_t, DecodeError> Decoder::Read(std::span<char> out) {
  if (out.empty()) return 0;
  if (state_->identity) {
    const std::int64_t got = state_->Pull(out);
    if (got < 0) return Fail(DecodeError::Kind::kSourceFailed);
    return static_cast<std::size_t>(got);
  }
  if (state_->given == state_->decoded.size() && !state_->Refill())
    return Fail(DecodeError::Kind::kSourceFailed);
  const std::size_t count = std::min(out.size(), state_->decoded.size() - state_->given);
  std::copy_n(state_->decoded.data() + state_->given, count, out.data());
  state_->given += count;
  return count;
}

tl::expected<std::uint64_t, DecodeError> DecodedSize(Source& source, const Part& part) {
  auto decoder = Decoder::Open(source, part);
  if (!decoder) return tl::unexpected<DecodeError>(decoder.error());
  if (IsIdentity(part)) return part.body_end - part.body_begin;
  std::array<char, kPiece> scratch;
  std::uint64_t size = 0;
  for (;;) {
    const auto got = decoder->Read(scratch);
    if (!got) return tl::unexpected<DecodeError>(got.error());
    if (*got == 0) return size;
    size += *got;
  }
}

}  // namespace protocol::mime
