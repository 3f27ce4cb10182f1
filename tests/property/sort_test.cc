// The order of SORT against a stable sort of whole keys, criterion by criterion.
#include <list>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "protocol/mime/envelope.h"
#include "protocol/text/casemap.h"
#include "server/imap/sort/sort_keys.h"

namespace server::imap::sort {
namespace {

using protocol::SortCriterion;
using protocol::SortKey;

/// One message as the naive model sees it.
struct Letter {
  std::int64_t arrival = 0;
  std::int64_t date = 0;
  std::uint64_t size = 0;
  std::string subject;
  std::string from;
  std::string to;
};

std::string TextIn(const Letter& letter, SortKey key) {
  switch (key) {
    case SortKey::kSubject: return protocol::text::UnicodeCasemap(letter.subject);
    case SortKey::kFrom: return protocol::text::UnicodeCasemap(letter.from);
    case SortKey::kTo: return protocol::text::UnicodeCasemap(letter.to);
    case SortKey::kDisplayFrom:
      return letter.from.empty() ? "" : protocol::text::UnicodeCasemap(letter.from + "@x");
    case SortKey::kDisplayTo:
      return letter.to.empty() ? "" : protocol::text::UnicodeCasemap(letter.to + "@x");
    default: return {};
  }
}

std::int64_t NumberIn(const Letter& letter, SortKey key) {
  if (key == SortKey::kArrival) return letter.arrival;
  return key == SortKey::kDate ? letter.date : static_cast<std::int64_t>(letter.size);
}

RC_GTEST_PROP(SortKeys, AreInTheOrderOfANaiveSort, ()) {
  const auto criteria =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<SortCriterion>>(rc::gen::build<SortCriterion>(
          rc::gen::set(&SortCriterion::key,
                       rc::gen::map(rc::gen::inRange(0, 9), [](int i) { return static_cast<SortKey>(i); })),
          rc::gen::set(&SortCriterion::reverse))));
  const auto few = rc::gen::inRange(-3, 3);
  const auto words = rc::gen::element<std::string>("", "a", "B", "b", "ab", "abcdefgh", "abcdefghi",
                                                   "ABCDEFGHJ", "\xc3\xa9", "\xd0\xb6");
  const auto names = rc::gen::element<std::string>("", "anna", "Bert", "bert", "carl");
  const std::size_t count = *rc::gen::inRange<std::size_t>(0, 30);
  std::vector<Letter> letters;
  SortKeys keys(criteria);
  for (std::size_t i = 0; i < count; ++i) {
    Letter letter{.arrival = *few, .date = *few, .size = static_cast<std::uint64_t>(*few + 3)};
    letter.subject = *words;
    letter.from = *names;
    letter.to = *names;
    std::string header = "Subject: " + letter.subject + "\r\n";
    if (!letter.from.empty()) header += "From: " + letter.from + "@x\r\n";
    if (!letter.to.empty()) header += "To: " + letter.to + "@x\r\n";
    const std::string envelope = protocol::mime::Envelope(header + "\r\n", 65536);
    storage::MessageRow row{.internal_date = {letter.arrival, 0}, .size = letter.size};
    row.sent = protocol::InternalDate{letter.date, 60};
    row.envelope = envelope;
    keys.Add(protocol::Uid{static_cast<std::uint32_t>(i * 2 + 1)}, row);
    letters.push_back(std::move(letter));
  }

  std::list<std::size_t> order;  // its sort is stable
  for (std::size_t i = 0; i < count; ++i) order.push_back(i);
  for (auto criterion = criteria.rbegin(); criterion != criteria.rend(); ++criterion) {
    order.sort([&](std::size_t a, std::size_t b) {
      if (criterion->reverse) std::swap(a, b);
      const SortKey key = criterion->key;
      if (key == SortKey::kArrival || key == SortKey::kDate || key == SortKey::kSize)
        return NumberIn(letters[a], key) < NumberIn(letters[b], key);
      return TextIn(letters[a], key) < TextIn(letters[b], key);
    });
  }
  std::vector<protocol::Uid> expected;
  for (const std::size_t i : order) expected.push_back(protocol::Uid{static_cast<std::uint32_t>(i * 2 + 1)});
  RC_ASSERT(keys.Sorted() == expected);
}

TEST(SortKeysMemory, AHundredThousandLongSubjectsFit) {
  SortKeys keys({{SortKey::kSubject, false}});
  const std::string envelope =
      protocol::mime::Envelope("Subject: " + std::string(5000, 'x') + "\r\n\r\n", 65536);
  storage::MessageRow row{};
  row.envelope = envelope;
  for (std::uint32_t i = 1; i <= 1000; ++i) keys.Add(protocol::Uid{i}, row);
  EXPECT_LT(keys.memory() * 100, 64U << 20U);
}

}  // namespace
}  // namespace server::imap::sort
