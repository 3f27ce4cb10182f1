#include "protocol/mime/scanner.h"

#include <algorithm>

namespace protocol::mime {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::size_t LineEndLength(std::string_view line) {
  if (!line.ends_with('\n')) return 0;
  return line.ends_with("\r\n") ? 2 : 1;
}

std::string_view TrimRight(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

bool EndsBoundary(std::string_view rest) {
  return rest.empty() || rest.front() == ' ' || rest.front() == '\t' || rest.starts_with("--");
}

}  // namespace

Scanner::Scanner(Source& source, const ScanLimits& limits, ScanSink& sink)
    : in_(source), limits_(limits), sink_(sink) {}

bool Scanner::Run() {
  OpenPart(0, /*hidden=*/false);
  Piece piece;
  while (in_body() ? in_.NextUpToDashes(piece) : in_.NextLine(piece)) {
    const bool dashes = piece.starts_line && piece.octets.starts_with("--");
    if (in_body() && !dashes) {
      Body(piece);
    } else {
      Line(piece, dashes);
    }
  }
  if (in_.failed()) return false;
  if (part_follows_) OpenBodyPart(in_.offset());
  while (open_.back().state == State::kHeader) FinishHeader(in_.offset());
  CloseDownTo(0, in_.offset(), lines_);
  return true;
}

/// Any number of lines none of which can be a boundary.
void Scanner::Body(const Piece& piece) {
  if (open_.back().state == State::kLeaf) sink_.OnBody(piece.octets);
  lines_ += static_cast<std::uint64_t>(std::count(piece.octets.begin(), piece.octets.end(), '\n'));
  if (piece.ends_line) last_line_end_ = LineEndLength(piece.octets);
}

void Scanner::Line(const Piece& piece, bool dashes) {
  if (in_delimiter_) {
    in_delimiter_ = !piece.ends_line;
    if (piece.ends_line) ++lines_;
    if (piece.ends_line && part_follows_) OpenBodyPart(piece.offset + piece.octets.size());
  } else if (!dashes || frozen_ || boundaries_.empty() || !Delimiter(piece)) {
    Content(piece);
  }
  if (piece.ends_line) last_line_end_ = LineEndLength(piece.octets);
}

void Scanner::Content(const Piece& piece) {
  if (piece.ends_line) ++lines_;
  const std::uint64_t end = piece.offset + piece.octets.size();
  const bool empty = piece.starts_line && (piece.octets == "\n" || piece.octets == "\r\n");
  switch (open_.back().state) {
    case State::kHeader:
      if (header_.size() < limits_.max_header) {
        header_ += piece.octets.substr(0, limits_.max_header - header_.size());
      }
      if (empty) FinishHeader(end);
      break;
    case State::kLeaf: sink_.OnBody(piece.octets); break;
    case State::kCpimHeader:
      if (empty && parts_.size() < limits_.max_parts) {
        open_.back().state = State::kBetweenParts;
        OpenPart(end, /*hidden=*/true);
      }
      break;
    case State::kBetweenParts: break;
  }
}

/// The longest open boundary that `text` begins with and that ends there; of equal ones the innermost.
/// Logarithmic in the number of boundaries but for those that are prefixes of `text`: a hundred nested levels
/// cost a line of dashes little.
std::size_t Scanner::FindBoundary(std::string_view text) const {
  const auto after = [&](std::string_view prefix) {
    return std::upper_bound(boundaries_.begin(), boundaries_.end(), prefix,
                            [&](std::string_view t, std::size_t i) { return t < open_[i].boundary; });
  };
  for (auto next = after(text); next != boundaries_.begin();) {
    const std::string_view boundary = open_[*--next].boundary;
    if (text.starts_with(boundary)) {
      if (EndsBoundary(text.substr(boundary.size()))) return *next;
      continue;
    }
    const auto differ = std::mismatch(boundary.begin(), boundary.end(), text.begin(), text.end());
    next = after(text.substr(0, static_cast<std::size_t>(differ.second - text.begin())));
  }
  return kNone;
}

bool Scanner::Delimiter(const Piece& piece) {
  const std::string_view text = TrimRight(piece.octets.substr(2));
  const std::size_t depth = FindBoundary(text);
  if (depth == kNone) return false;
  const bool closes = text.substr(open_[depth].boundary.size()).starts_with("--");
  if (!closes && Full()) {
    frozen_ = true;
    return false;
  }

  // The line end before the boundary is the boundary's, unless it is already the end of a header.
  while (open_.back().state == State::kHeader) FinishHeader(piece.offset);
  std::uint64_t end = piece.offset - last_line_end_;
  std::uint64_t lines = lines_ - (last_line_end_ > 0 ? 1 : 0);
  if (end < parts_[open_.back().index].body_begin) {
    end = piece.offset;
    lines = lines_;
  }
  CloseDownTo(depth + 1, end, lines);

  Open& parent = open_[depth];
  parent.state = State::kBetweenParts;
  if (closes) {
    parent.boundary.clear();
    SortBoundaries();
  }
  part_follows_ = !closes;
  if (piece.ends_line) ++lines_;
  in_delimiter_ = !piece.ends_line;
  if (piece.ends_line && part_follows_) OpenBodyPart(piece.offset + piece.octets.size());
  return true;
}

void Scanner::OpenBodyPart(std::uint64_t begin) {
  part_follows_ = false;
  OpenPart(begin, open_.back().hidden);
}

void Scanner::OpenPart(std::uint64_t begin, bool hidden) {
  parts_.push_back({.header_begin = begin, .body_begin = begin, .body_end = begin});
  open_.push_back(
      {.index = parts_.size() - 1, .state = State::kHeader, .hidden = hidden, .lines_before = lines_});
  header_.clear();
}

void Scanner::FinishHeader(std::uint64_t body_begin) {
  Open& open = open_.back();
  Part& part = parts_[open.index];
  part.body_begin = part.body_end = body_begin;
  part.header_lines = lines_ - open.lines_before;
  open.lines_before = lines_;

  const Open* parent = open_.size() > 1 ? &open_[open_.size() - 2] : nullptr;
  const bool is_message = parent == nullptr || parent->kind == PartKind::kMessage;
  // What opens here may need a part of its own, and its children too.
  Shape shape = sink_.OnHeader({.index = open.index,
                                .is_message = is_message,
                                .in_digest = parent != nullptr && parent->digest,
                                .hidden = open.hidden,
                                .may_have_parts = open_.size() <= limits_.max_depth && !Full()},
                               header_);
  header_.clear();
  part.kind = open.kind = shape.kind;
  part.encoding = shape.encoding;
  part.media = shape.media;
  open.digest = shape.digest;
  open.boundary = std::move(shape.boundary);
  open.cpim = shape.inside_is_mime;
  open.state = shape.kind != PartKind::kLeaf ? State::kBetweenParts
               : shape.inside_is_mime        ? State::kCpimHeader
                                             : State::kLeaf;
  if (!open.boundary.empty()) SortBoundaries();
  OpenInside(body_begin);
}

/// An attached message begins at once; a multipart without a boundary has one part, its whole body.
void Scanner::OpenInside(std::uint64_t body_begin) {
  const Open& open = open_.back();
  const bool hidden = open.hidden;
  if (open.kind == PartKind::kMessage) {
    OpenPart(body_begin, hidden);
  } else if (open.kind == PartKind::kMultipart && open.boundary.empty()) {
    open_.back().digest = false;
    OpenPart(body_begin, hidden);
    FinishHeader(body_begin);
  }
}

void Scanner::ClosePart(std::uint64_t end, std::uint64_t lines) {
  if (open_.back().kind == PartKind::kMultipart && open_.back().index + 1 == parts_.size()) {
    // No delimiter came: one part, so that the text is not lost to clients.
    const Part& whole = parts_.back();
    Part text{.header_begin = whole.body_begin, .body_begin = whole.body_begin, .body_end = end};
    text.body_lines = lines - open_.back().lines_before;
    text.media = Media::kText;
    const Place place{.index = parts_.size(), .hidden = open_.back().hidden, .may_have_parts = false};
    sink_.OnHeader(place, {});
    sink_.OnBodyEnd();
    unseen_.push_back({text.body_begin, text.body_end});
    parts_.push_back(text);
  }
  const Open open = std::move(open_.back());
  open_.pop_back();
  Part& part = parts_[open.index];
  part.body_end = end;
  part.body_lines = lines - open.lines_before;
  if (open.state == State::kLeaf) sink_.OnBodyEnd();
  if (open.cpim) parts_.resize(open.index + 1);
  parts_[open.index].subtree = static_cast<std::uint32_t>(parts_.size() - open.index);
}

void Scanner::CloseDownTo(std::size_t depth, std::uint64_t end, std::uint64_t lines) {
  bool boundary_closed = false;
  while (open_.size() > depth) {
    boundary_closed |= !open_.back().boundary.empty();
    ClosePart(end, lines);
  }
  if (boundary_closed) SortBoundaries();
}

void Scanner::SortBoundaries() {
  boundaries_.clear();
  for (std::size_t i = 0; i < open_.size(); ++i) {
    if (!open_[i].boundary.empty()) boundaries_.push_back(i);
  }
  std::sort(boundaries_.begin(), boundaries_.end(), [&](std::size_t a, std::size_t b) {
    const int order = open_[a].boundary.compare(open_[b].boundary);
    return order != 0 ? order < 0 : a < b;
  });
}

}  // namespace protocol::mime
