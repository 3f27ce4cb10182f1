#include "protocol/model/partial_range.h"

#include <algorithm>

#include <fmt/format.h>

namespace protocol {

PartialRange::Window PartialRange::Among(std::uint64_t results) const {
  const std::uint64_t low = std::min<std::uint64_t>(std::min(first, last) - 1ULL, results);
  const std::uint64_t high = std::min<std::uint64_t>(std::max(first, last), results);
  if (from_end) return {results - high, results - low};
  return {low, high};
}

std::string PartialRange::ToString() const {
  const char* minus = from_end ? "-" : "";
  return fmt::format("{}{}:{}{}", minus, first, minus, last);
}

UidSet PartOf(const UidSet& results, const PartialRange& range) {
  const auto window = range.Among(results.size());
  UidSet part;
  std::uint64_t place = 0;  // of the first UID of `at`
  for (const UidRange& at : results.ranges()) {
    const std::uint64_t length = std::uint64_t{at.last.value} - at.first.value + 1;
    const std::uint64_t begin = std::max(window.begin, place);
    const std::uint64_t end = std::min(window.end, place + length);
    if (begin < end) {
      part.Add(Uid{static_cast<std::uint32_t>(at.first.value + (begin - place))},
               Uid{static_cast<std::uint32_t>(at.first.value + (end - place) - 1)});
    }
    place += length;
    if (place >= window.end) break;
  }
  return part;
}

}  // namespace protocol
