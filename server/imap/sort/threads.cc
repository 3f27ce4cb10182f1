#include "server/imap/sort/threads.h"

#include <utility>

namespace server::imap::sort {

namespace {

constexpr std::uint32_t kNoSubject = 0xffffffff;

}  // namespace

void OrderedSubjectThreads::Add(std::int64_t date, std::string_view base_subject) {
  dates_.push_back(date);
  subject_of_.push_back(subjects_.Of(base_subject).value);
}

std::vector<ThreadMember> OrderedSubjectThreads::Arrange() const {
  std::vector<std::uint32_t> heads(subjects_.size(), kNoParent);
  std::vector<std::uint32_t> parents(dates_.size(), kNoParent);
  for (const std::uint32_t i : ByDate(dates_)) {
    std::uint32_t& head = heads[subject_of_[i]];
    if (head == kNoParent) {
      head = i;
    } else {
      parents[i] = head;
    }
  }
  return InThreadOrder(parents, dates_);
}

ReferenceThreads::Node ReferenceThreads::AddNode(std::uint32_t message) {
  message_of_.push_back(message);
  return forest_.Add();
}

/// The node with this Message ID, which may be a dummy; if there is none, a new one for `message`, which may
/// be kNoParent: a dummy.
ReferenceThreads::Node ReferenceThreads::NodeOfId(std::string_view id, std::uint32_t message) {
  const auto [number, fresh] = ids_.Of(id);
  if (fresh) node_of_id_.push_back(AddNode(message));
  return node_of_id_[number];
}

// Step (1).
void ReferenceThreads::Add(const Message& message) {
  const auto place = static_cast<std::uint32_t>(dates_.size());
  dates_.push_back(message.date);
  subject_of_.push_back(message.base_subject.empty() ? kNoSubject : subjects_.Of(message.base_subject).value);
  reply_or_forward_.push_back(message.reply_or_forward);

  // (A) "If two or more messages have the same Message ID, then only use that Message ID in the first".
  Node own = LinkForest::kNone;
  if (!message.id.empty()) {
    own = NodeOfId(message.id, place);
    if (message_of_[own] == kNoParent) message_of_[own] = place;  // so far it was only referred to
  }
  if (own == LinkForest::kNone || message_of_[own] != place) own = AddNode(place);
  node_of_.push_back(own);

  Node before = LinkForest::kNone;
  for (const auto& reference : message.references) {
    const Node node = NodeOfId(reference, kNoParent);
    if (before != LinkForest::kNone && forest_.Parent(node) == LinkForest::kNone) forest_.Link(node, before);
    before = node;
  }
  // (B) The last reference is the parent, and if there is none, nothing is.
  forest_.Cut(own);
  if (before != LinkForest::kNone) forest_.Link(own, before);
}

/// Steps (2) and (3): dummies go, their children come in their place. One that nothing is above, with two
/// children or more, stays: its children would become children of the root.
void ReferenceThreads::Prune() {
  // What each dummy gives its children to: the first message above it, or the topmost dummy.
  std::vector<Node> heir(forest_.size(), LinkForest::kNone);
  std::vector<Node> path;
  const auto heir_of = [&](Node dummy) {
    Node at = dummy;
    while (heir[at] == LinkForest::kNone) {
      path.push_back(at);
      const Node above = forest_.Parent(at);
      if (above == LinkForest::kNone) {
        heir[at] = at;
      } else if (message_of_[above] != kNoParent) {
        heir[at] = above;
      } else {
        at = above;
        continue;
      }
      break;
    }
    const Node found = heir[at];
    for (const Node node : path) heir[node] = found;
    path.clear();
    return found;
  };

  const std::size_t messages = dates_.size();
  parents_.assign(messages, kNoParent);
  std::vector<std::uint32_t> only_child(forest_.size(), kNoParent);  // of a dummy: the first one seen
  std::vector<std::uint32_t> dummy_place(forest_.size(), kNoParent);
  for (std::uint32_t i = 0; i < messages; ++i) {
    Node above = forest_.Parent(node_of_[i]);
    if (above == LinkForest::kNone) continue;
    if (message_of_[above] == kNoParent) above = heir_of(above);
    if (message_of_[above] != kNoParent) {
      parents_[i] = message_of_[above];
    } else if (only_child[above] == kNoParent) {
      only_child[above] = i;
    } else {
      if (dummy_place[above] == kNoParent) {
        dummy_place[above] = static_cast<std::uint32_t>(parents_.size());
        parents_.push_back(kNoParent);
        parents_[only_child[above]] = dummy_place[above];
      }
      parents_[i] = dummy_place[above];
    }
  }
}

/// Steps (4) and (5), of what has no parent.
void ReferenceThreads::MergeSubjects() {
  struct Root {
    std::uint32_t place;  ///< in parents_
    std::uint32_t first;  ///< the message whose subject is the thread's
  };
  const auto messages = static_cast<std::uint32_t>(dates_.size());
  const auto is_dummy = [&](std::uint32_t place) { return place >= messages; };
  std::vector<Root> roots;
  std::vector<bool> met(parents_.size() - messages);
  for (const std::uint32_t i : ByDate(dates_)) {
    const std::uint32_t parent = parents_[i];
    if (parent == kNoParent) {
      roots.push_back({i, i});
    } else if (is_dummy(parent) && !met[parent - messages]) {
      met[parent - messages] = true;
      roots.push_back({parent, i});
    }
  }

  // (B)
  std::vector<std::uint32_t> table(subjects_.size(), kNoParent);
  for (const auto& [place, first] : roots) {
    if (subject_of_[first] == kNoSubject) continue;
    std::uint32_t& listed = table[subject_of_[first]];
    if (listed == kNoParent) {
      listed = place;
    } else if (!is_dummy(listed)) {
      if (is_dummy(place) || (reply_or_forward_[listed] && !reply_or_forward_[place])) listed = place;
    }
  }

  // (C)
  std::vector<std::uint32_t> merged(parents_.size(), kNoParent);  // of a dummy: the one that has its children
  for (const auto& [place, first] : roots) {
    if (subject_of_[first] == kNoSubject) continue;
    std::uint32_t& listed = table[subject_of_[first]];
    if (listed == place) continue;
    if (is_dummy(place)) {
      merged[place] = listed;  // a dummy as well: (B) prefers them
    } else if (is_dummy(listed) || (reply_or_forward_[place] && !reply_or_forward_[listed])) {
      parents_[place] = listed;
    } else {
      const auto dummy = static_cast<std::uint32_t>(parents_.size());
      parents_.push_back(kNoParent);
      parents_[place] = dummy;
      parents_[listed] = dummy;
      listed = dummy;
    }
  }
  for (std::uint32_t i = 0; i < messages; ++i) {
    const std::uint32_t parent = parents_[i];
    if (parent < merged.size() && merged[parent] != kNoParent) parents_[i] = merged[parent];
  }
}

std::vector<ThreadMember> ReferenceThreads::Arrange() {
  Prune();
  MergeSubjects();
  return InThreadOrder(parents_, dates_);  // step (6)
}

std::string_view ContributionThreads::Keep(std::string_view id) {
  if (id.empty()) return {};
  auto* const octets = static_cast<char*>(arena_.allocate(id.size(), 1));
  id.copy(octets, id.size());
  text_ += id.size();
  return {octets, id.size()};
}

void ContributionThreads::Add(std::int64_t date, std::string_view contribution,
                              std::string_view in_reply_to) {
  items_.push_back({date, Keep(contribution), Keep(in_reply_to)});
}

std::vector<ThreadMember> ContributionThreads::Arrange() const {
  const auto threads = protocol::cpm::ThreadsOf(std::span(items_));
  std::vector<std::uint32_t> parents(items_.size(), kNoParent);
  const auto head = [&](std::size_t thread) {
    return static_cast<std::uint32_t>(threads[thread].items.front());
  };
  for (std::size_t t = 0; t < threads.size(); ++t) {
    if (threads[t].parent) parents[head(t)] = head(*threads[t].parent);
    for (const std::size_t item : std::span(threads[t].items).subspan(1)) parents[item] = head(t);
  }
  std::vector<std::int64_t> dates;
  dates.reserve(items_.size());
  for (const auto& item : items_) dates.push_back(item.time);
  return InThreadOrder(parents, dates);
}

}  // namespace server::imap::sort
