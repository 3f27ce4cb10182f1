#include "server/net/deflate.h"

#include <algorithm>
#include <new>

#include <zlib.h>

namespace server::net {
namespace {

// Small windows compress IMAP's answers nearly as well as large ones: they repeat themselves within a line or
// two.
constexpr int kSentWindowBits = 13;
constexpr int kSentMemLevel = 5;
constexpr std::size_t kSentWorkings =
    (std::size_t{1} << (kSentWindowBits + 2)) + (std::size_t{1} << (kSentMemLevel + 9));
constexpr std::size_t kSentKept = 2048;
// The peer may refer to as much as DEFLATE allows.
constexpr int kReceivedWindowBits = 15;
constexpr std::size_t kReceivedWorkings = (std::size_t{1} << kReceivedWindowBits) + 8192;
constexpr std::size_t kLongestHistory = 32768;
constexpr std::size_t kPiece = 16 * 1024;

Bytef* Octets(const char* at) { return reinterpret_cast<Bytef*>(const_cast<char*>(at)); }

void Must(int result) {
  if (result != Z_OK) throw std::bad_alloc();
}

/// At the end of a block and of an octet (zlib.h on inflate()'s data_type).
bool BetweenBlocks(const z_stream& stream) {
  return (stream.data_type & 128) != 0 && (stream.data_type & 127) == 0;
}

}  // namespace

void Deflate::End::operator()(z_stream_s* stream) const {
  // One of the two is ours, and the other refuses a stream that is not its own.
  if (deflateEnd(stream) == Z_STREAM_ERROR) inflateEnd(stream);
  delete stream;
}

Deflate::Deflate() = default;
Deflate::~Deflate() = default;

void Deflate::Compress(std::string_view text, std::string& out) {
  if (text.empty()) return;
  if (!deflating_) {
    auto fresh = std::make_unique<z_stream>();
    Must(deflateInit2(fresh.get(), Z_BEST_SPEED, Z_DEFLATED, -kSentWindowBits, kSentMemLevel,
                      Z_DEFAULT_STRATEGY));
    deflating_.reset(fresh.release());
    if (!sent_.empty()) {
      Must(deflateSetDictionary(deflating_.get(), Octets(sent_.data()), static_cast<uInt>(sent_.size())));
      std::string().swap(sent_);
    }
  }
  z_stream& stream = *deflating_;
  stream.next_in = Octets(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  do {
    const std::size_t before = out.size();
    out.resize(before + kPiece);
    stream.next_out = Octets(out.data() + before);
    stream.avail_out = kPiece;
    static_cast<void>(
        deflate(&stream, Z_SYNC_FLUSH));  // Z_BUF_ERROR: the piece before was the last and is full
    out.resize(out.size() - stream.avail_out);
  } while (stream.avail_out == 0);
}

std::optional<std::size_t> Deflate::Expand(std::span<char> space) {
  if (!inflating_) {
    auto fresh = std::make_unique<z_stream>();
    Must(inflateInit2(fresh.get(), -kReceivedWindowBits));
    inflating_.reset(fresh.release());
    if (!received_.empty()) {
      Must(inflateSetDictionary(inflating_.get(), Octets(received_.data()),
                                static_cast<uInt>(received_.size())));
      std::string().swap(received_);
    }
  }
  z_stream& stream = *inflating_;
  stream.next_in = Octets(input_.data());
  stream.avail_in = static_cast<uInt>(input_.size());
  stream.next_out = Octets(space.data());
  stream.avail_out = static_cast<uInt>(space.size());
  const int result = inflate(&stream, Z_NO_FLUSH);
  if (result == Z_MEM_ERROR) throw std::bad_alloc();
  if (result != Z_OK && result != Z_BUF_ERROR) return std::nullopt;
  full_ = stream.avail_out == 0;
  // A call in vain makes zlib forget that it was at a block's end.
  if (stream.avail_in < input_.size() || stream.avail_out < space.size())
    between_blocks_ = BetweenBlocks(stream);
  input_.erase(0, input_.size() - stream.avail_in);
  return space.size() - stream.avail_out;
}

void Deflate::Rest() {
  std::string().swap(input_);
  if (deflating_) {
    std::string history(kLongestHistory, '\0');
    uInt size = 0;
    Must(deflateGetDictionary(deflating_.get(), Octets(history.data()), &size));
    history.resize(size);
    sent_ = history.substr(history.size() - std::min(history.size(), kSentKept));
    deflating_.reset();
  }
  if (inflating_ && between_blocks_) {
    std::string history(kLongestHistory, '\0');
    uInt size = 0;
    Must(inflateGetDictionary(inflating_.get(), Octets(history.data()), &size));
    received_.assign(history, 0, size);
    inflating_.reset();
  }
}

std::size_t Deflate::HeapBytes() const {
  return (deflating_ ? kSentWorkings : 0) + (inflating_ ? kReceivedWorkings : 0) + sent_.capacity() +
         received_.capacity() + input_.capacity();
}

}  // namespace server::net
