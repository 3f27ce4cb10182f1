#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/model/ids.h"
#include "protocol/model/partial_range.h"
#include "protocol/model/sequence_set.h"
#include "protocol/model/uid_set.h"

namespace protocol::write {

/// "* SEARCH 2 84 882" (RFC 3501 §7.2.5), "* SEARCH 2 84 882 (MODSEQ 12)" (RFC 7162 §3.1.6); every number,
/// ascending.
void SearchLine(std::string& out, std::span<const std::uint32_t> numbers,
                std::optional<ModSeq> modseq = std::nullopt);

/// "* SORT 2 84 882" (RFC 5256 §4), in the order given; "* SORT 2 84 882 (MODSEQ 12)" (RFC 7162 §3.1.6).
void SortLine(std::string& out, std::span<const std::uint32_t> numbers,
              std::optional<ModSeq> modseq = std::nullopt);

/// ESEARCH (RFC 4731 §3.1): only what is present is written, in the order MIN MAX ALL PARTIAL COUNT MODSEQ.
/// Of an empty result only COUNT and PARTIAL are given. `all` points to ranges of message numbers or UIDs, in
/// the order of the result, and may be null.
struct EsearchResult {
  /// RFC 9394 §3.1: what was asked for, and those that there are, in the order of the result.
  struct Partial {
    PartialRange range;
    std::span<const NumberRange> found;  ///< none: NIL
  };
  std::string_view tag;
  NumberKind numbers = NumberKind::kSequence;
  std::optional<std::uint32_t> min;
  std::optional<std::uint32_t> max;
  std::optional<std::span<const NumberRange>> all;
  std::optional<Partial> partial;
  std::optional<std::uint32_t> count;
  std::optional<ModSeq> modseq;  ///< RFC 4731 §3.2
};
void EsearchLine(std::string& out, const EsearchResult& result);

/// Where in a result messages came in, or went from (RFC 5267 §4.3.2).
struct ContextChange {
  std::uint32_t position = 0;         ///< of the first of them, from 1; 0: the result is in mailbox order
  std::vector<NumberRange> messages;  ///< numbers or UIDs in the order of the result
};
/// "* ESEARCH (TAG "B01") UID ADDTO (2 32768:32769)" (RFC 5267 §4.3.3); a client applies the changes one
/// after the other. At least one.
void AddToLine(std::string& out, std::string_view tag, NumberKind numbers,
               std::span<const ContextChange> changes);
/// "* ESEARCH (TAG "B01") UID REMOVEFROM (0 32768)" (RFC 5267 §4.3.4), likewise.
void RemoveFromLine(std::string& out, std::string_view tag, NumberKind numbers,
                    std::span<const ContextChange> changes);

/// "1:3,7": in the order given.
void Ranges(std::string& out, std::span<const NumberRange> ranges);

}  // namespace protocol::write
