// The threading algorithms against a slow, literal reading of RFC 5256 §3, and with what hostile senders
// make.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "server/imap/sort/link_forest.h"
#include "server/imap/sort/threads.h"

namespace server::imap::sort {
namespace {

struct Letter {
  std::int64_t date = 0;
  std::string subject;
  bool reply = false;
  std::string id;
  std::vector<std::string> references;
};

/// A message, or a dummy, of the model: a tree of pointers.
struct Node {
  const Letter* letter = nullptr;  ///< null: a dummy
  std::uint32_t number = 0;
  Node* parent = nullptr;
  std::vector<Node*> children;
};

class LiteralReferences {
 public:
  explicit LiteralReferences(const std::vector<Letter>& letters) {
    std::uint32_t number = 0;
    for (const auto& letter : letters) Link(letter, ++number);  // (1)
    for (const auto& node : nodes_)                             // (2)
      if (node->parent == nullptr) root_.children.push_back(node.get());
    for (Node* child : root_.children) child->parent = &root_;
    Prune(&root_);         // (3)
    SortChildren(&root_);  // (4)
    MergeSubjects();       // (5)
    SortAll(&root_);       // (6)
  }

  std::vector<ThreadMember> Members() const {
    std::vector<ThreadMember> out;
    for (const Node* child : root_.children) List(child, kNoParent, out);
    return out;
  }

 private:
  Node* New() { return nodes_.emplace_back(std::make_unique<Node>()).get(); }

  static bool IsAtOrBelow(const Node* node, const Node* above) {
    for (; node != nullptr; node = node->parent)
      if (node == above) return true;
    return false;
  }

  static void SetParent(Node* child, Node* parent) {
    if (child->parent != nullptr) std::erase(child->parent->children, child);
    child->parent = parent;
    if (parent != nullptr) parent->children.push_back(child);
  }

  void Link(const Letter& letter, std::uint32_t number) {
    Node* own = nullptr;
    if (!letter.id.empty()) {
      Node*& known = by_id_[letter.id];
      if (known == nullptr) known = New();
      if (known->letter == nullptr) own = known;
    }
    if (own == nullptr) own = New();
    own->letter = &letter;
    own->number = number;
    Node* last = nullptr;
    for (const auto& reference : letter.references) {  // (A)
      Node*& node = by_id_[reference];
      if (node == nullptr) node = New();
      if (last != nullptr && node->parent == nullptr && !IsAtOrBelow(last, node)) SetParent(node, last);
      last = node;
    }
    SetParent(own, nullptr);  // (B)
    if (last != nullptr && !IsAtOrBelow(last, own)) SetParent(own, last);
  }

  void Prune(Node* node) {
    for (Node* child : std::vector<Node*>(node->children)) Prune(child);
    if (node == &root_ || node->letter != nullptr) return;
    if (node->children.empty()) {
      SetParent(node, nullptr);
    } else if (node->parent != &root_ || node->children.size() == 1) {
      Node* parent = node->parent;
      for (Node* child : std::vector<Node*>(node->children)) SetParent(child, parent);
      SetParent(node, nullptr);
    }
  }

  static const Node* Dated(const Node* node) {
    return node->letter != nullptr ? node : node->children.front();
  }
  static void Sort(std::vector<Node*>& siblings) {
    std::ranges::sort(siblings, {}, [](const Node* node) {
      return std::pair(Dated(node)->letter->date, Dated(node)->number);
    });
  }
  static void SortChildren(Node* root) {
    for (Node* child : root->children)
      if (child->letter == nullptr) Sort(child->children);
    Sort(root->children);
  }
  static void SortAll(Node* node) {
    for (Node* child : node->children) SortAll(child);
    Sort(node->children);
  }

  void MergeSubjects() {
    std::map<std::string, Node*> table;
    const auto is_dummy = [](const Node* node) { return node->letter == nullptr; };
    const auto subject = [](const Node* node) { return Dated(node)->letter->subject; };
    const std::vector<Node*> children = root_.children;
    for (Node* current : children) {  // (B)
      if (subject(current).empty()) continue;
      Node*& listed = table[subject(current)];
      if (listed == nullptr) {
        listed = current;
      } else if (!is_dummy(listed) &&
                 (is_dummy(current) || (listed->letter->reply && !current->letter->reply))) {
        listed = current;
      }
    }
    for (Node* current : children) {  // (C)
      const std::string text = subject(current);
      if (text.empty()) continue;
      Node*& listed = table[text];
      if (listed == current || current->parent != &root_) continue;
      if (is_dummy(listed) && is_dummy(current)) {
        for (Node* child : std::vector<Node*>(current->children)) SetParent(child, listed);
        SetParent(current, nullptr);
      } else if (is_dummy(listed)) {
        SetParent(current, listed);
      } else if (current->letter->reply && !listed->letter->reply) {
        SetParent(current, listed);
      } else {
        Node* dummy = New();
        SetParent(dummy, &root_);
        SetParent(listed, dummy);
        SetParent(current, dummy);
        listed = dummy;
      }
    }
  }

  static void List(const Node* node, std::uint32_t parent, std::vector<ThreadMember>& out) {
    const auto place = static_cast<std::uint32_t>(out.size());
    out.push_back({node->number, parent});
    for (const Node* child : node->children) List(child, place, out);
  }

  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::string, Node*> by_id_;
  Node root_;
};

std::vector<ThreadMember> Threaded(const std::vector<Letter>& letters) {
  ReferenceThreads threads;
  for (const auto& letter : letters)
    threads.Add({letter.date, letter.subject, letter.reply, letter.id, letter.references});
  return threads.Arrange();
}

std::vector<Letter> SomeLetters() {
  std::vector<Letter> letters;
  const std::size_t count = *rc::gen::inRange<std::size_t>(0, 20);
  const int ids = *rc::gen::inRange(1, 16);
  const auto id = rc::gen::map(rc::gen::inRange(0, ids), [](int i) { return std::to_string(i) + "@x"; });
  for (std::size_t i = 0; i < count; ++i) {
    Letter letter{.date = *rc::gen::inRange(0, 5)};
    letter.subject = *rc::gen::element<std::string>("", "a", "b", "c", "d", "e", "f");
    letter.reply = *rc::gen::arbitrary<bool>();
    if (*rc::gen::inRange(0, 8) > 0) letter.id = *id;
    letter.references = *rc::gen::resize(5, rc::gen::container<std::vector<std::string>>(id));
    letters.push_back(std::move(letter));
  }
  return letters;
}

RC_GTEST_PROP(References, AreThoseOfALiteralReading, ()) {
  const auto letters = SomeLetters();
  RC_ASSERT(Threaded(letters) == LiteralReferences(letters).Members());
}

RC_GTEST_PROP(References, ListEveryMessageOnce, ()) {
  const auto letters = SomeLetters();
  std::vector<std::uint32_t> numbers;
  const auto members = Threaded(letters);
  std::vector<int> children(members.size());
  for (const auto& member : members) {
    if (member.number != 0) numbers.push_back(member.number);
    if (member.parent != kNoParent) ++children[member.parent];
  }
  std::ranges::sort(numbers);
  RC_ASSERT(numbers.size() == letters.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) RC_ASSERT(numbers[i] == i + 1);
  for (std::size_t i = 0; i < members.size(); ++i)
    RC_ASSERT(members[i].number != 0 || (members[i].parent == kNoParent && children[i] >= 2));
}

RC_GTEST_PROP(OrderedSubject, IsThatOfALiteralReading, ()) {
  const auto letters = SomeLetters();
  OrderedSubjectThreads threads;
  for (const auto& letter : letters) threads.Add(letter.date, letter.subject);

  struct One {
    std::string subject;
    std::int64_t date;
    std::uint32_t number;
  };
  std::vector<One> sorted;  // by base subject, then by sent date
  for (std::size_t i = 0; i < letters.size(); ++i)
    sorted.push_back({letters[i].subject, letters[i].date, static_cast<std::uint32_t>(i + 1)});
  std::ranges::sort(sorted, {}, [](const One& one) { return std::tuple(one.subject, one.date, one.number); });
  std::vector<std::vector<One>> split;
  for (const auto& one : sorted) {
    if (split.empty() || split.back().front().subject != one.subject) split.emplace_back();
    split.back().push_back(one);
  }
  std::ranges::sort(split, {},
                    [](const auto& thread) { return std::pair(thread.front().date, thread.front().number); });
  std::vector<ThreadMember> expected;
  for (const auto& thread : split) {
    const auto head = static_cast<std::uint32_t>(expected.size());
    for (std::size_t i = 0; i < thread.size(); ++i)
      expected.push_back({thread[i].number, i == 0 ? kNoParent : head});
  }
  RC_ASSERT(threads.Arrange() == expected);
}

RC_GTEST_PROP(LinkForests, KnowTheirLoops, ()) {
  const auto count = *rc::gen::inRange<std::uint32_t>(1, 30);
  LinkForest forest;
  std::vector<std::uint32_t> parents(count, LinkForest::kNone);
  for (std::uint32_t i = 0; i < count; ++i) forest.Add();
  const int steps = *rc::gen::inRange(0, 200);
  for (int i = 0; i < steps; ++i) {
    const auto child = *rc::gen::inRange<std::uint32_t>(0, count);
    const auto parent = *rc::gen::inRange<std::uint32_t>(0, count);
    if (parents[child] != LinkForest::kNone) {
      forest.Cut(child);
      parents[child] = LinkForest::kNone;
    } else {
      bool loop = false;
      for (auto at = parent; at != LinkForest::kNone; at = parents[at]) loop |= at == child;
      RC_ASSERT(forest.Link(child, parent) == !loop);
      if (!loop) parents[child] = parent;
    }
    RC_ASSERT(forest.Parent(child) == parents[child]);
  }
}

// What follows would overflow a stack, or take minutes, if a step recursed or walked up to the root: nothing
// is measured.
constexpr std::uint32_t kMany = 50'000;

std::string Id(std::uint32_t i) { return std::to_string(i) + "@x"; }

TEST(HostileReferences, AChainAsLongAsTheFolder) {
  std::vector<Letter> forward;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    forward.push_back({.date = i, .id = Id(i)});
    if (i > 0) forward.back().references = {Id(i - 1)};
  }
  auto members = Threaded(forward);
  ASSERT_EQ(members.size(), kMany);
  EXPECT_EQ(members.back(), (ThreadMember{kMany, kMany - 2}));
  std::ranges::reverse(forward);  // each reply before what it replies to
  members = Threaded(forward);
  ASSERT_EQ(members.size(), kMany);
  EXPECT_EQ(members.back(), (ThreadMember{1, kMany - 2}));
}

TEST(HostileReferences, ManyLoopsThroughADeepThread) {
  std::vector<Letter> letters;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    letters.push_back({.date = i, .id = Id(i)});
    if (i > 0) letters.back().references = {Id(i - 1)};
  }
  const std::string deepest = Id(kMany - 1);
  for (std::uint32_t i = 0; i < kMany / 10; ++i) {
    Letter loop{.date = kMany + i, .id = "loop" + Id(i)};
    for (int j = 0; j < 5; ++j) {
      loop.references.push_back(deepest);
      loop.references.push_back(Id(0));
    }
    letters.push_back(std::move(loop));
  }
  const auto members = Threaded(letters);
  ASSERT_EQ(members.size(), kMany + kMany / 10);
  EXPECT_EQ(members.front(), (ThreadMember{1, kNoParent}));
  EXPECT_EQ(members[1], (ThreadMember{2, 0}));
}

TEST(HostileReferences, DummiesBelowOneAnother) {
  std::vector<Letter> letters(2);
  for (std::uint32_t i = 0; i < kMany; ++i) letters[0].references.push_back(Id(i));
  letters[1].references = {Id(0)};
  EXPECT_EQ(Threaded(letters), (std::vector<ThreadMember>{{0, kNoParent}, {1, 0}, {2, 0}}));
}

TEST(HostileReferences, TheMemoryOfEachIsCounted) {
  ReferenceThreads threads;
  const std::vector<std::string> references(1, std::string(500, 'x'));
  threads.Add({.references = references});
  EXPECT_GT(threads.memory(), 500U);
  const auto once = threads.memory();
  threads.Add({.references = references});
  EXPECT_LT(threads.memory(), once + 300) << "a Message ID is kept once";
}

TEST(Contributions, AreThreadsOfTheConversation) {
  ContributionThreads threads;
  threads.Add(5, "a", "");
  threads.Add(3, "b", "a");
  threads.Add(4, "a", "");
  threads.Add(1, "", "a");
  threads.Add(2, "", "");
  // 3 is the first of "a"; what has no Contribution-ID is a thread by itself, which may be a reply.
  EXPECT_EQ(threads.Arrange(),
            (std::vector<ThreadMember>{{5, kNoParent}, {3, kNoParent}, {4, 1}, {2, 1}, {1, 1}}));
}

TEST(Contributions, AChainAsLongAsTheFolder) {
  ContributionThreads threads;
  for (std::uint32_t i = 0; i < kMany; ++i) threads.Add(i, Id(i), i == 0 ? "" : Id(i - 1));
  const auto members = threads.Arrange();
  ASSERT_EQ(members.size(), kMany);
  EXPECT_EQ(members.back(), (ThreadMember{kMany, kMany - 2}));
}

}  // namespace
}  // namespace server::imap::sort
