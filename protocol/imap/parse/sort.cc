#include <array>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/imap/parse/search.h"
#include "protocol/model/ascii.h"

namespace protocol::parse {
namespace {

template <class Value>
struct Word {
  std::string_view name;
  Value value;
};

constexpr std::array kSortKeys{
    Word{"ARRIVAL", SortKey::kArrival},
    Word{"CC", SortKey::kCc},
    Word{"DATE", SortKey::kDate},
    Word{"FROM", SortKey::kFrom},
    Word{"SIZE", SortKey::kSize},
    Word{"SUBJECT", SortKey::kSubject},
    Word{"TO", SortKey::kTo},
    Word{"DISPLAYFROM", SortKey::kDisplayFrom},  // RFC 5957 §5
    Word{"DISPLAYTO", SortKey::kDisplayTo},      // RFC 5957 §5
};

constexpr std::array kAlgorithms{
    Word{"ORDEREDSUBJECT", ThreadAlgorithm::kOrderedSubject},
    Word{"REFERENCES", ThreadAlgorithm::kReferences},
    Word{"X-CPM-CONTRIBUTION", ThreadAlgorithm::kCpmContribution},
};

/// The value of the word that comes next, or a failure.
template <class Value, std::size_t kSize>
Value OneOf(Cursor& in, const std::array<Word<Value>, kSize>& words, std::string_view expected) {
  const std::size_t start = in.offset();
  const std::string_view name = grammar::ParseAtom(in, limits::kFlagName, expected);
  for (const auto& word : words) {
    if (ascii::EqualNoCase(word.name, name)) return word.value;
  }
  in.FailAt(start, expected);
  return {};
}

// sort-criterion = ["REVERSE" SP] sort-key
SortCriterion ParseCriterion(Cursor& in) {
  SortCriterion criterion;
  criterion.reverse = in.AcceptWord("REVERSE");
  if (criterion.reverse) in.Space();
  criterion.key = OneOf(in, kSortKeys, "sort-key");
  return criterion;
}

// sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"
std::vector<SortCriterion> ParseCriteria(Cursor& in) {
  std::vector<SortCriterion> criteria;
  in.Expect('(', "\"(\"");
  do {
    if (criteria.size() == limits::kSortCriteria) in.Fail("fewer sort-criteria");
    if (in.failed()) break;
    criteria.push_back(ParseCriterion(in));
  } while (in.Accept(' '));
  in.Expect(')', "\")\"");
  return criteria;
}

}  // namespace

// sort = "SORT" [search-return-opts] SP sort-criteria SP search-criteria     ; RFC 5256 §5, RFC 5267 §3
Parsed<command::Sort> ParseSort(Cursor& in, NumberKind numbers) {
  command::Sort cmd{.criteria = {}, .search = {.numbers = numbers}};
  in.Space();
  if (in.AcceptWord("RETURN")) {
    cmd.search.returns = ParseReturn(in);
    in.Space();
  }
  cmd.criteria = ParseCriteria(in);
  in.Space();
  ParseSearchCriteria(in, cmd.search);
  return in.Finish(std::move(cmd));
}

// thread = "THREAD" SP thread-alg SP search-criteria                         ; RFC 5256 §5
Parsed<command::Thread> ParseThread(Cursor& in, NumberKind numbers) {
  command::Thread cmd{.search = {.numbers = numbers}};
  in.Space();
  cmd.algorithm = OneOf(in, kAlgorithms, "thread-alg");
  in.Space();
  ParseSearchCriteria(in, cmd.search);
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
