#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/mime/parts.h"
#include "protocol/mime/transfer_decoder.h"
#include "protocol/text/charset.h"

namespace protocol::mime {

/// Gathers `search_text`: bodies of text parts as they come, decoded, in UTF-8, folded, up to a cap.
class TextCollector {
 public:
  explicit TextCollector(std::size_t max) : max_(max) {}

  /// Opens a part; Feed() its body as encoded, in order; End() it.
  void Begin(Encoding encoding, std::string_view charset);
  void Feed(std::string_view octets);
  void End();

  /// One decoded line that is no part's body: a field of an attached message.
  void Line(std::string_view utf8);

  bool open() const { return decoder_.has_value(); }
  bool full() const { return out_.size() >= max_; }
  bool truncated() const { return truncated_; }
  std::string Take() && { return std::move(out_); }

 private:
  void Convert(std::string_view octets, bool last);
  void FoldStaged(bool all);
  void Cut();

  std::size_t max_;
  std::string out_;
  bool truncated_ = false;
  Encoding encoding_ = Encoding::k7Bit;
  std::optional<TransferDecoder> decoder_;
  std::optional<text::Utf8Converter> converter_;
  std::string decoded_;  ///< scratch
  std::string staged_;   ///< UTF-8, not yet folded
};

}  // namespace protocol::mime
