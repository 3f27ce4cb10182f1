#include "protocol/mime/line_source.h"

#include <algorithm>
#include <cstring>

namespace protocol::mime {
namespace {

constexpr std::uint64_t kBuffer = 64U * 1024;

}  // namespace

LineSource::LineSource(Source& source) : source_(source), buffer_(std::min(source.size(), kBuffer)) {}

/// Makes room behind what is buffered and reads; false when nothing came.
bool LineSource::Fill() {
  if (failed_ || offset_ + (end_ - begin_) >= source_.size()) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) return false;
  const std::int64_t got = source_.Read(offset_ + end_, std::span(buffer_).subspan(end_));
  if (got <= 0) {
    failed_ = true;  // before the end, no octets is a failure too
    return false;
  }
  has_nul_ = has_nul_ || std::memchr(buffer_.data() + end_, '\0', static_cast<std::size_t>(got)) != nullptr;
  end_ += static_cast<std::size_t>(got);
  return true;
}

void LineSource::Give(std::size_t length, Piece& piece) {
  piece.octets = Buffered().substr(0, length);
  piece.offset = offset_;
  piece.starts_line = at_line_start_;
  piece.ends_line = piece.octets.back() == '\n';
  at_line_start_ = piece.ends_line;
  begin_ += length;
  offset_ += length;
}

bool LineSource::NextLine(Piece& piece) {
  std::size_t searched = 0;
  for (;;) {
    const std::string_view text = Buffered();
    const void* lf =
        text.size() > searched ? std::memchr(text.data() + searched, '\n', text.size() - searched) : nullptr;
    if (lf != nullptr) {
      Give(static_cast<std::size_t>(static_cast<const char*>(lf) - text.data()) + 1, piece);
      return true;
    }
    searched = text.size();
    if (Fill()) continue;
    if (failed_ || Buffered().empty()) return false;
    // The last line, or one longer than the buffer; CR and LF stay together.
    const bool cut = offset_ + Buffered().size() < source_.size();
    Give(Buffered().size() - (cut && Buffered().ends_with('\r') ? 1 : 0), piece);
    return true;
  }
}

bool LineSource::NextUpToDashes(Piece& piece) {
  while (Buffered().size() < 2 && Fill()) {
  }
  if (failed_ || Buffered().empty()) return false;
  if (at_line_start_ && Buffered().starts_with("--")) return NextLine(piece);
  const std::string_view text = Buffered();
  const void* dashes = ::memmem(text.data(), text.size(), "\n--", 3);
  std::size_t length = text.size();
  if (dashes != nullptr) {
    length = static_cast<std::size_t>(static_cast<const char*>(dashes) - text.data()) + 1;
  } else if (text.size() > 1 && (text.ends_with('\r') || text.ends_with("\n-"))) {
    --length;  // CR LF and dashes stay together
  }
  Give(length, piece);
  return true;
}

}  // namespace protocol::mime
