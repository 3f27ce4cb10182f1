#include "server/imap/sort/sort_keys.h"

#include <algorithm>
#include <numeric>

#include "server/imap/sort/message_keys.h"

namespace server::imap::sort {

namespace {

/// Compares like the octets do; a shorter string is filled up with zeros, so equal heads decide nothing.
std::uint64_t Head(std::string_view text) {
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    head = head << 8U | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
  }
  return head;
}

template <class Value>
int Order(const Value& a, const Value& b) {
  return a < b ? -1 : static_cast<int>(b < a);
}

}  // namespace

SortKeys::SortKeys(const std::vector<protocol::SortCriterion>& criteria) {
  for (const auto& criterion : criteria) {
    // A key that comes again decides nothing: where it matters, all that stood before it was equal.
    const bool again = std::ranges::any_of(
        columns_, [&](const Column& column) { return column.criterion.key == criterion.key; });
    if (again) continue;
    columns_.push_back({.criterion = criterion, .numbers = {}, .heads = {}, .begins = {0}, .text = {}});
    strings_ |= !IsNumber(criterion.key);
  }
}

void SortKeys::Add(protocol::Uid uid, const storage::MessageRow& row) {
  uids_.push_back(uid);
  const protocol::mime::EnvelopeReader envelope(strings_ ? row.envelope : std::string_view());
  for (Column& column : columns_) {
    if (IsNumber(column.criterion.key)) {
      column.numbers.push_back(NumberOf(row, column.criterion.key));
      continue;
    }
    const std::string text = TextOf(envelope, column.criterion.key);
    column.heads.push_back(Head(text));
    column.text += text;
    column.begins.push_back(column.text.size());
  }
}

int SortKeys::Compare(const Column& column, std::uint32_t a, std::uint32_t b) {
  if (IsNumber(column.criterion.key)) return Order(column.numbers[a], column.numbers[b]);
  if (column.heads[a] != column.heads[b]) return Order(column.heads[a], column.heads[b]);
  const auto text = [&](std::uint32_t i) {
    return std::string_view(column.text).substr(column.begins[i], column.begins[i + 1] - column.begins[i]);
  };
  return Order(text(a), text(b));  // char_traits compares octets as unsigned
}

std::vector<protocol::Uid> SortKeys::Sorted() const {
  std::vector<std::uint32_t> order(uids_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    for (const Column& column : columns_) {
      const int compared = Compare(column, a, b);
      if (compared != 0) return column.criterion.reverse ? compared > 0 : compared < 0;
    }
    return a < b;
  });
  std::vector<protocol::Uid> uids;
  uids.reserve(order.size());
  for (const std::uint32_t i : order) uids.push_back(uids_[i]);
  return uids;
}

std::size_t SortKeys::memory() const {
  std::size_t octets = uids_.size() * sizeof(uids_.front());
  for (const Column& column : columns_) {
    octets += 8 * (column.numbers.size() + column.heads.size() + column.begins.size()) + column.text.size();
  }
  return octets;
}

}  // namespace server::imap::sort
