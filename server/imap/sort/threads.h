#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/cpm/conversation.h"
#include "server/imap/sort/link_forest.h"
#include "server/imap/sort/string_numbers.h"
#include "server/imap/sort/thread_order.h"

/// The threading algorithms, of values: nothing is read here. Messages are added in the order of sequence
/// numbers; the answers are those of InThreadOrder().
namespace server::imap::sort {

/// ORDEREDSUBJECT (RFC 5256 §3): the messages with one base subject are a thread, the first by sent date its
/// head, the others its children. Those with none are one thread too.
class OrderedSubjectThreads {
 public:
  void Add(std::int64_t date, std::string_view base_subject);
  std::vector<ThreadMember> Arrange() const;
  std::size_t memory() const { return subjects_.memory() + dates_.size() * 12; }

 private:
  StringNumbers subjects_;
  std::vector<std::int64_t> dates_;
  std::vector<std::uint32_t> subject_of_;
};

/// REFERENCES (RFC 5256 §3). O(n log n) in messages and references; see LinkForest.
class ReferenceThreads {
 public:
  struct Message {
    std::int64_t date = 0;
    std::string_view base_subject;
    bool reply_or_forward = false;
    std::string_view id;                      ///< in normal form; empty: none that is valid
    std::span<const std::string> references;  ///< likewise, oldest first; or the one of In-Reply-To
  };
  void Add(const Message& message);
  /// Once.
  std::vector<ThreadMember> Arrange();
  std::size_t memory() const {
    return ids_.memory() + subjects_.memory() + dates_.size() * 17 +
           forest_.size() * (LinkForest::kNodeOctets + sizeof(std::uint32_t));
  }

 private:
  using Node = LinkForest::Node;

  Node AddNode(std::uint32_t message);
  Node NodeOfId(std::string_view id, std::uint32_t message);
  void Prune();
  void MergeSubjects();

  StringNumbers ids_;
  std::vector<Node> node_of_id_;
  LinkForest forest_;
  std::vector<std::uint32_t> message_of_;  ///< of each node; kNoParent: a dummy
  StringNumbers subjects_;
  // Of each message:
  std::vector<std::int64_t> dates_;
  std::vector<std::uint32_t> subject_of_;  ///< kNoSubject: the empty one
  std::vector<bool> reply_or_forward_;
  std::vector<Node> node_of_;
  /// Of messages, then of the dummies that are left: as InThreadOrder() wants them.
  std::vector<std::uint32_t> parents_;
};

/// X-CPM-CONTRIBUTION: what belongs to one contribution (a session, a standalone message, a file transfer) is
/// a thread, as protocol/cpm/conversation.h finds it. Its first message is the head, the others are its
/// children, and a contribution that replies to it hangs below the head as well.
class ContributionThreads {
 public:
  void Add(std::int64_t date, std::string_view contribution, std::string_view in_reply_to);
  std::vector<ThreadMember> Arrange() const;
  std::size_t memory() const { return text_ + items_.size() * kItem; }

 private:
  /// Of one item, with what is made of it while it is arranged.
  static constexpr std::size_t kItem = 320;

  std::string_view Keep(std::string_view id);

  std::pmr::monotonic_buffer_resource arena_;
  std::size_t text_ = 0;
  std::vector<protocol::cpm::ThreadItem> items_;  ///< views of the arena
};

}  // namespace server::imap::sort
