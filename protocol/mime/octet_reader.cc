#include "protocol/mime/octet_reader.h"

#include <algorithm>
#include <utility>

#include "protocol/mime/mask_nul.h"

namespace protocol::mime {
namespace {

constexpr std::uint64_t kSkip = 64 * 1024;

}  // namespace

tl::expected<OctetReader, DecodeError> OctetReader::Decoded(Source& source, const Part& part, Extent extent) {
  if (IsIdentity(part))
    return OctetReader(source, {part.body_begin + extent.offset, extent.length}, /*mask_nul=*/false);
  auto decoder = Decoder::Open(source, part);
  if (!decoder) return tl::unexpected<DecodeError>(decoder.error());
  OctetReader reader;
  reader.decoder_.emplace(*std::move(decoder));
  Octets skipped;
  for (reader.left_ = extent.offset; reader.left_ > 0;) {
    if (!reader.ReadSome(skipped, kSkip))
      return tl::unexpected<DecodeError>(DecodeError{DecodeError::Kind::kSourceFailed});
  }
  reader.left_ = extent.length;
  return reader;
}

bool OctetReader::Fill(std::span<char> to) {
  for (std::size_t at = 0; at < to.size();) {
    const auto space = to.subspan(at);
    std::int64_t got = 0;
    if (decoder_) {
      const auto decoded = decoder_->Read(space);
      got = decoded ? static_cast<std::int64_t>(*decoded) : -1;
    } else {
      got = source_->Read(offset_, space);
    }
    if (got <= 0) return false;
    at += static_cast<std::size_t>(got);
    offset_ += static_cast<std::uint64_t>(got);
  }
  left_ -= to.size();
  if (mask_nul_) MaskNul(to);
  return true;
}

bool OctetReader::Read(std::string& to, std::uint64_t count) {
  const std::size_t before = to.size();
  to.resize(before + std::min(count, left_));
  const bool read = Fill(std::span(to).subspan(before));
  if (!read) to.resize(before);
  return read;
}

bool OctetReader::ReadSome(Octets& to, std::uint64_t most) {
  const std::uint64_t want = std::min(most, left_);
  if (decoder_ || want == 0) {
    std::string octets;
    const bool read = Read(octets, want);
    to = Octets(std::move(octets));
    return read;
  }
  const std::int64_t got = source_->Share(offset_, want, to);
  if (got <= 0) return false;
  offset_ += static_cast<std::uint64_t>(got);
  left_ -= static_cast<std::uint64_t>(got);
  if (mask_nul_ && HoldsNul(to.view())) {
    std::string masked(to.view());
    MaskNul(masked);
    to = Octets(std::move(masked));
  }
  return true;
}

}  // namespace protocol::mime
