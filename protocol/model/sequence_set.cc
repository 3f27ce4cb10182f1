#include "protocol/model/sequence_set.h"

#include <algorithm>

#include <fmt/format.h>

namespace protocol {
namespace {

void AppendEnd(std::string& out, std::uint32_t number) {
  if (number == SequenceRange::kLargest) {
    out += '*';
  } else {
    const fmt::format_int digits(number);
    out.append(digits.data(), digits.size());
  }
}

}  // namespace

std::vector<NumberRange> SequenceSet::Resolve(std::uint32_t largest) const {
  const std::uint32_t star = std::max(largest, 1U);
  std::vector<NumberRange> out;
  out.reserve(ranges.size());
  for (const SequenceRange& range : ranges) {
    const std::uint32_t a = range.first == SequenceRange::kLargest ? star : range.first;
    const std::uint32_t b = range.last == SequenceRange::kLargest ? star : range.last;
    out.push_back({std::min(a, b), std::max(a, b)});
  }
  const auto by_first = [](const NumberRange& a, const NumberRange& b) { return a.first < b.first; };
  if (!std::is_sorted(out.begin(), out.end(), by_first)) std::sort(out.begin(), out.end(), by_first);

  std::size_t kept = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (kept > 0 && out[i].first - 1 <= out[kept - 1].last) {  // first >= 1
      out[kept - 1].last = std::max(out[kept - 1].last, out[i].last);
    } else {
      out[kept++] = out[i];
    }
  }
  out.resize(kept);
  return out;
}

std::string SequenceSet::ToString() const {
  if (saved_result) return "$";
  std::string out;
  for (const SequenceRange& range : ranges) {
    if (!out.empty()) out += ',';
    AppendEnd(out, range.first);
    if (range.first != range.last) {
      out += ':';
      AppendEnd(out, range.last);
    }
  }
  return out;
}

}  // namespace protocol
