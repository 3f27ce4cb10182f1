#include "protocol/mime/text_collector.h"

#include <algorithm>

#include "protocol/text/fold.h"

namespace protocol::mime {
namespace {

constexpr std::size_t kPiece = 16U * 1024;
constexpr std::size_t kLongestLine = 64U * 1024;

/// The start of the last UTF-8 sequence that ends at or before `at`.
std::size_t CharacterStart(std::string_view utf8, std::size_t at) {
  while (at > 0 && at < utf8.size() && (static_cast<unsigned char>(utf8[at]) & 0xC0U) == 0x80) --at;
  return at;
}

}  // namespace

void TextCollector::Begin(Encoding encoding, std::string_view charset) {
  encoding_ = encoding;
  decoder_.emplace(encoding);
  converter_.emplace(charset);
}

void TextCollector::Feed(std::string_view octets) {
  while (!octets.empty()) {
    if (full()) {
      truncated_ = true;
      return;
    }
    const std::string_view piece = octets.substr(0, kPiece);
    octets.remove_prefix(piece.size());
    if (encoding_ != Encoding::kBase64 && encoding_ != Encoding::kQuotedPrintable) {
      Convert(piece, /*last=*/false);
      continue;
    }
    decoded_.resize(decoder_->Room(piece.size()));
    const std::size_t length = decoder_->Step(piece, decoded_.data());
    Convert(std::string_view(decoded_).substr(0, length), /*last=*/false);
  }
}

void TextCollector::End() {
  if (!open()) return;
  if (!full()) {
    decoded_.resize(decoder_->Room(0));
    const std::size_t length = decoder_->Flush(decoded_.data());
    Convert(std::string_view(decoded_).substr(0, length), /*last=*/true);
    if (!staged_.empty() && staged_.back() != '\n') staged_ += '\n';
    FoldStaged(/*all=*/true);
  }
  staged_.clear();
  decoder_.reset();
  converter_.reset();
}

void TextCollector::Line(std::string_view utf8) {
  if (full()) {
    truncated_ = true;
    return;
  }
  text::AppendFolded(utf8, out_);
  out_ += '\n';
  Cut();
}

void TextCollector::Convert(std::string_view octets, bool last) {
  const std::size_t begin = staged_.size();
  converter_->Append(octets, last, staged_);
  staged_.erase(std::remove(staged_.begin() + static_cast<std::ptrdiff_t>(begin), staged_.end(), '\r'),
                staged_.end());
  if (staged_.size() >= kPiece) FoldStaged(/*all=*/false);
}

/// Folding needs whole lines, or it would see a base letter and its accent apart; only a monstrous line is
/// cut elsewhere.
void TextCollector::FoldStaged(bool all) {
  std::size_t end = staged_.size();
  if (!all) {
    const std::size_t lf = staged_.rfind('\n');
    if (lf != std::string::npos) {
      end = lf + 1;
    } else if (staged_.size() < kLongestLine) {
      return;
    } else {
      end = CharacterStart(staged_, staged_.size() - 256);
    }
  }
  text::AppendFolded(std::string_view(staged_).substr(0, end), out_);
  staged_.erase(0, end);
  Cut();
}

void TextCollector::Cut() {
  if (out_.size() <= max_) return;
  out_.resize(CharacterStart(out_, max_));
  out_.resize(std::min(out_.size(), max_));
  truncated_ = true;
  max_ = out_.size();  // a cut inside a character must not leave room for more
}

}  // namespace protocol::mime
