#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/model/ids.h"
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

/// ESEARCH (RFC 4731 §3.1): only what is present is written, in the order MIN MAX ALL COUNT MODSEQ. Of an
/// empty result only COUNT is given. `all` points to ranges of message numbers or UIDs, in the order of the
/// result, and may be null.
struct EsearchResult {
  std::string_view tag;
  NumberKind numbers = NumberKind::kSequence;
  std::optional<std::uint32_t> min;
  std::optional<std::uint32_t> max;
  std::optional<std::span<const NumberRange>> all;
  std::optional<std::uint32_t> count;
  std::optional<ModSeq> modseq;  ///< RFC 4731 §3.2
};
void EsearchLine(std::string& out, const EsearchResult& result);

/// "1:3,7": in the order given.
void Ranges(std::string& out, std::span<const NumberRange> ranges);

}  // namespace protocol::write
