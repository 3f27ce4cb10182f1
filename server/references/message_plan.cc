#include "server/references/message_plan.h"

#include <algorithm>
#include <utility>

namespace server::references {
namespace {

constexpr std::uint64_t kPiece = 256 * 1024;
constexpr std::uint64_t kOctetsALine = 57;

}  // namespace

std::uint64_t Base64Size(std::uint64_t octets) {
  if (octets == 0) return 0;
  return (octets + 2) / 3 * 4 + (octets - 1) / kOctetsALine * 2;
}

void MessagePlan::AddText(std::string text) {
  if (text.empty()) return;
  size_ += text.size();
  pieces_.push_back({std::move(text), nullptr, {}, false, nullptr});
}

void MessagePlan::AddStored(std::shared_ptr<PartReader> whole, protocol::mime::Extent extent) {
  if (extent.length == 0) return;
  size_ += extent.length;
  pieces_.push_back({{}, std::move(whole), extent, false, nullptr});
}

void MessagePlan::AddPart(std::unique_ptr<PartReader> part, bool base64) {
  part->KeepOctetsOnly();
  size_ += base64 ? Base64Size(part->left()) : part->left();
  auto lines = base64 ? std::make_unique<protocol::text::Base64Lines>() : nullptr;
  pieces_.push_back({{}, std::move(part), {}, true, std::move(lines)});
}

void MessagePlan::Add(MessagePlan other) {
  size_ += other.size_;
  std::ranges::move(other.pieces_, std::back_inserter(pieces_));
}

std::uint64_t MessagePlan::held() const {
  std::uint64_t held = 0;
  for (const auto& piece : pieces_) held += piece.text.capacity() + (piece.part ? piece.from->held() : 0);
  return held;
}

bool MessagePlan::Take(std::string& to) {
  const std::size_t before = to.size();
  const bool taken = TakeOne(to);
  size_ -= to.size() - before;
  return taken;
}

bool MessagePlan::TakeOne(std::string& to) {
  if (pieces_.empty()) return true;
  Piece& piece = pieces_.front();
  if (!piece.from) {
    to += piece.text;
    pieces_.pop_front();
    return true;
  }
  if (!piece.part) {
    const std::size_t before = to.size();
    to.resize(before + std::min(piece.stored.length, kPiece));
    const auto got = piece.from->source().Read(piece.stored.offset, std::span(to).subspan(before));
    to.resize(before + static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
    if (got <= 0) return false;
    piece.stored.offset += static_cast<std::uint64_t>(got);
    piece.stored.length -= static_cast<std::uint64_t>(got);
    if (piece.stored.length == 0) pieces_.pop_front();
    return true;
  }
  if (!piece.lines) {
    if (!piece.from->Take(to, kPiece)) return false;
  } else {
    std::string octets;
    if (!piece.from->Take(octets, kPiece)) return false;
    piece.lines->Add(to, octets);
  }
  if (piece.from->left() > 0) return true;
  if (piece.lines) piece.lines->End(to);
  pieces_.pop_front();
  return true;
}

}  // namespace server::references
