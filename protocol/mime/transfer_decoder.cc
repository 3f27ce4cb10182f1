#include "protocol/mime/transfer_decoder.h"

#include <cstring>

#include <gmime/gmime.h>

#include "protocol/mime/gmime.h"

namespace protocol::mime {

struct TransferDecoder::State {
  bool identity = true;
  GMimeEncoding gmime{};
};

TransferDecoder::TransferDecoder(Encoding encoding) : state_(std::make_unique<State>()) {
  if (encoding != Encoding::kBase64 && encoding != Encoding::kQuotedPrintable) return;
  InitGMime();
  state_->identity = false;
  g_mime_encoding_init_decode(&state_->gmime, encoding == Encoding::kBase64
                                                  ? GMIME_CONTENT_ENCODING_BASE64
                                                  : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
}
TransferDecoder::TransferDecoder(TransferDecoder&&) noexcept = default;
TransferDecoder& TransferDecoder::operator=(TransferDecoder&&) noexcept = default;
TransferDecoder::~TransferDecoder() = default;

std::size_t TransferDecoder::Room(std::size_t size) const {
  return state_->identity ? size : g_mime_encoding_outlen(&state_->gmime, size) + 8;
}

std::size_t TransferDecoder::Step(std::string_view in, char* out) {
  if (state_->identity) {
    if (!in.empty()) std::memcpy(out, in.data(), in.size());
    return in.size();
  }
  return g_mime_encoding_step(&state_->gmime, in.data(), in.size(), out);
}

std::size_t TransferDecoder::Flush(char* out) {
  if (state_->identity) return 0;
  if (state_->gmime.encoding == GMIME_CONTENT_ENCODING_BASE64) {
    // Completes a last group that came without its padding; to a complete one it adds nothing.
    return g_mime_encoding_step(&state_->gmime, "==", 2, out);
  }
  return g_mime_encoding_flush(&state_->gmime, nullptr, 0, out);
}

}  // namespace protocol::mime
