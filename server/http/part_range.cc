#include "server/http/part_range.h"

#include <algorithm>
#include <utility>

#include "server/short_read.h"

namespace server::http {

using protocol::mime::Octets;

asio::awaitable<bool> Pieces::Send(Call& call) const {
  std::vector<std::string_view> pieces;
  pieces.reserve(octets_.size());
  for (const auto& piece : octets_) pieces.push_back(piece.view());
  const bool sent = co_await call.SendBody(pieces);
  co_return sent;
}

bool PartRange::Decodes() const { return form_ == Form::kDecoded && part_.Decodes(); }

PartRange::Begun PartRange::Narrow(const ByteRange& range) {
  left_ = size_ = range.length;
  if (!Decodes()) return part_.Begin(form_, protocol::mime::Extent{range.first, range.length});
  to_skip_ = range.first;
  return Begun::kOpen;
}

bool PartRange::Skip() {
  Octets piece;
  for (std::uint64_t done = 0; to_skip_ > 0 && done < kStep; done += piece.size()) {
    if (!part_.TakeSome(piece) || piece.empty()) return false;
    const auto skipped = std::min<std::uint64_t>(to_skip_, piece.size());
    to_skip_ -= skipped;
    kept_ = piece.Part(skipped);
  }
  return true;
}

bool PartRange::FillAtOnce(Pieces& pieces) {
  return !Decodes() && TryHere([&] { return Fill(pieces); });
}

bool PartRange::Fill(Pieces& pieces) {
  while (pieces.size_ < kStep && left_ > 0) {
    Octets piece = std::exchange(kept_, {});
    if (piece.empty() && (!part_.TakeSome(piece) || piece.empty())) return false;
    if (piece.size() > left_) piece = piece.Part(0, left_);
    left_ -= piece.size();
    pieces.size_ += piece.size();
    pieces.octets_.push_back(std::move(piece));
  }
  return true;
}

}  // namespace server::http
