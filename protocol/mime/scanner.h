#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/mime/line_source.h"
#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"

namespace protocol::mime {

/// What a header says about the body that follows it.
struct Shape {
  PartKind kind = PartKind::kLeaf;
  Encoding encoding = Encoding::k7Bit;
  Media media = Media::kOther;
  std::string boundary;         ///< of a multipart; empty: it has none that could be used
  bool digest = false;          ///< multipart/digest
  bool inside_is_mime = false;  ///< a message/cpim whose inside can be read as it stands
};

/// Where an entity stands when its header has been read.
struct Place {
  std::size_t index = 0;       ///< in Parts; of a hidden part it is given again to a later one
  bool is_message = false;     ///< the message itself or an attached one
  bool in_digest = false;      ///< a direct part of a multipart/digest
  bool hidden = false;         ///< inside message/cpim: no part for IMAP
  bool may_have_parts = true;  ///< false: at the depth or part limit, so it is to be a leaf whatever it says
};

/// Told what the scanner finds, in the order of the octets.
class ScanSink {
 public:
  virtual ~ScanSink() = default;

  /// A header is complete. `header` ends with its empty line, if it has one, and is cut at the limit.
  virtual Shape OnHeader(const Place& place, std::string_view header) = 0;

  /// Octets of the body of the latest OnHeader(), which was a leaf. The line end before a boundary is among
  /// them.
  virtual void OnBody(std::string_view octets) = 0;

  /// That leaf has no more.
  virtual void OnBodyEnd() = 0;

  /// True: no further parts; the last one takes the rest of the message.
  virtual bool Exhausted() const = 0;
};

struct ScanLimits {
  std::uint32_t max_depth;
  std::uint32_t max_parts;
  std::size_t max_header;
};

/// Finds the part tree of a message (RFC 2046 §5.1, RFC 3501 §6.4.5) in one pass over its octets, in bounded
/// memory.
///
/// Lines end in LF, with or without CR. A boundary is found by prefix as RFC 2046 §5.1.1 wants it; among
/// several open ones the longest that fits counts, then the innermost; a boundary ends everything nested
/// deeper, a header without an empty line too.
class Scanner {
 public:
  Scanner(Source& source, const ScanLimits& limits, ScanSink& sink);

  /// False when the source failed; then parts() is of no use.
  bool Run();

  Parts& parts() { return parts_; }

  bool has_nul() const { return in_.has_nul(); }

  /// A stretch of the message.
  struct Stretch {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  /// Bodies of text parts that no OnBody() was called for: only the end showed that a multipart has no
  /// boundary line.
  const std::vector<Stretch>& unseen() const { return unseen_; }

 private:
  enum class State { kHeader, kLeaf, kCpimHeader, kBetweenParts };

  struct Open {
    std::size_t index;
    State state;
    PartKind kind = PartKind::kLeaf;
    std::string boundary;  ///< empty: closed, or not a multipart
    bool digest = false;
    bool hidden = false;
    bool cpim = false;
    std::uint64_t lines_before = 0;  ///< of the header, then of the body
  };

  void Body(const Piece& piece);
  void Line(const Piece& piece, bool dashes);
  void Content(const Piece& piece);
  void HeaderLine(const Piece& piece);
  bool Delimiter(const Piece& piece);
  std::size_t FindBoundary(std::string_view text) const;
  void OpenPart(std::uint64_t begin, bool hidden);
  void OpenBodyPart(std::uint64_t begin);
  void FinishHeader(std::uint64_t body_begin);
  void OpenInside(std::uint64_t body_begin);
  void ClosePart(std::uint64_t end, std::uint64_t lines);
  void CloseDownTo(std::size_t depth, std::uint64_t end, std::uint64_t lines);
  void SortBoundaries();
  bool in_body() const {
    return !in_delimiter_ &&
           (open_.back().state == State::kLeaf || open_.back().state == State::kBetweenParts);
  }
  bool Full() const { return parts_.size() >= limits_.max_parts || sink_.Exhausted(); }

  LineSource in_;
  ScanLimits limits_;
  ScanSink& sink_;
  Parts parts_;
  std::vector<Stretch> unseen_;
  std::vector<Open> open_;
  std::string header_;
  std::uint64_t lines_ = 0;              ///< LFs seen
  std::size_t last_line_end_ = 0;        ///< octets of the line end before the current line
  std::vector<std::size_t> boundaries_;  ///< open ones as indices into open_, by text, then depth
  bool in_delimiter_ = false;            ///< the rest of a delimiter line longer than the buffer follows
  bool part_follows_ = false;            ///< after this delimiter line
  bool frozen_ = false;                  ///< a limit is reached: boundaries mean nothing any more
};

}  // namespace protocol::mime
