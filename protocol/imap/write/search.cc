#include "protocol/imap/write/search.h"

#include "protocol/imap/write/string.h"

namespace protocol::write {

namespace {

void NumbersLine(std::string& out, std::string_view name, std::span<const std::uint32_t> numbers,
                 std::optional<ModSeq> modseq) {
  out += "* ";
  out += name;
  for (const std::uint32_t number : numbers) {
    out += ' ';
    Number(out, number);
  }
  if (modseq) {
    out += " (MODSEQ ";
    Number(out, modseq->value);
    out += ')';
  }
  out += "\r\n";
}

}  // namespace

void SearchLine(std::string& out, std::span<const std::uint32_t> numbers, std::optional<ModSeq> modseq) {
  NumbersLine(out, "SEARCH", numbers, modseq);
}

void SortLine(std::string& out, std::span<const std::uint32_t> numbers, std::optional<ModSeq> modseq) {
  NumbersLine(out, "SORT", numbers, modseq);
}

void Ranges(std::string& out, std::span<const NumberRange> ranges) {
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (i > 0) out += ',';
    Number(out, ranges[i].first);
    if (ranges[i].first == ranges[i].last) continue;
    out += ':';
    Number(out, ranges[i].last);
  }
}

namespace {

// esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)         ; RFC 4466
// §2.6.2
void EsearchHead(std::string& out, std::string_view tag, NumberKind numbers) {
  out += "* ESEARCH (TAG ";
  String(out, tag);
  out += ')';
  if (numbers == NumberKind::kUid) out += " UID";
}

// ret-data-addto = "ADDTO" SP "(" context-position SP sequence-set *(SP context-position SP sequence-set) ")"
void ContextLine(std::string& out, std::string_view tag, NumberKind numbers, std::string_view item,
                 std::span<const ContextChange> changes) {
  EsearchHead(out, tag, numbers);
  out += item;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    out += i == 0 ? '(' : ' ';
    Number(out, changes[i].position);
    out += ' ';
    Ranges(out, changes[i].messages);
  }
  out += ")\r\n";
}

}  // namespace

void AddToLine(std::string& out, std::string_view tag, NumberKind numbers,
               std::span<const ContextChange> changes) {
  ContextLine(out, tag, numbers, " ADDTO ", changes);
}

void RemoveFromLine(std::string& out, std::string_view tag, NumberKind numbers,
                    std::span<const ContextChange> changes) {
  ContextLine(out, tag, numbers, " REMOVEFROM ", changes);
}

void EsearchLine(std::string& out, const EsearchResult& result) {
  EsearchHead(out, result.tag, result.numbers);
  if (result.min) {
    out += " MIN ";
    Number(out, *result.min);
  }
  if (result.max) {
    out += " MAX ";
    Number(out, *result.max);
  }
  if (result.all && !result.all->empty()) {
    out += " ALL ";
    Ranges(out, *result.all);
  }
  if (result.partial) {
    out += " PARTIAL (";
    out += result.partial->range.ToString();
    out += result.partial->found.empty() ? " NIL" : " ";
    Ranges(out, result.partial->found);
    out += ')';
  }
  if (result.count) {
    out += " COUNT ";
    Number(out, *result.count);
  }
  if (result.modseq) {
    out += " MODSEQ ";
    Number(out, result.modseq->value);
  }
  out += "\r\n";
}

}  // namespace protocol::write
