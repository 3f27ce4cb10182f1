#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/imap/command/sort.h"
#include "protocol/model/ids.h"
#include "storage/store/message.h"

namespace server::imap::sort {

/// The keys of many messages, one column a criterion: 8 octets a message and number, 16 and its octets a
/// string.
class SortKeys {
 public:
  explicit SortKeys(const std::vector<protocol::SortCriterion>& criteria);

  /// In the order of sequence numbers.
  void Add(protocol::Uid uid, const storage::MessageRow& row);

  /// The messages in the order of RFC 5256 §3: by the first criterion, then the second, ..., then by sequence
  /// number.
  std::vector<protocol::Uid> Sorted() const;

  std::size_t memory() const;

 private:
  struct Column {
    protocol::SortCriterion criterion;
    std::vector<std::int64_t> numbers;
    std::vector<std::uint64_t> heads;   ///< a string's first eight octets: most comparisons end here
    std::vector<std::uint64_t> begins;  ///< where each string begins in text_, and where the last one ends
    std::string text;
  };

  static int Compare(const Column& column, std::uint32_t a, std::uint32_t b);

  std::vector<protocol::Uid> uids_;
  std::vector<Column> columns_;
  bool strings_ = false;
};

}  // namespace server::imap::sort
