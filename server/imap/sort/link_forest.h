#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace server::imap::sort {

/// Trees that grow by links from a child to its parent and know at once whether a link would close a loop:
/// O(log n) amortised each, however deep they are. Who sends the messages chooses the references, so a walk
/// up to the root at each link could be made to cost the square.
///
/// Beside the parents it holds a link-cut tree (D. Sleator, R. Tarjan 1983): each path of the forest is a
/// splay tree by depth.
class LinkForest {
 public:
  using Node = std::uint32_t;
  static constexpr Node kNone = 0xffffffff;
  static constexpr std::size_t kNodeOctets = 16;

  Node Add();
  std::size_t size() const { return parents_.size(); }
  Node Parent(Node node) const { return parents_[node]; }
  /// False, and no link, if `parent` is `child` or below it. REQUIRES: `child` has no parent.
  bool Link(Node child, Node parent);
  /// Does nothing if it has no parent.
  void Cut(Node child);

 private:
  struct Splay {
    Node up = kNone;  ///< of a splay tree's root: the parent of its topmost node in the forest
    Node left = kNone;
    Node right = kNone;
  };

  bool IsSplayRoot(Node node) const;
  void Rotate(Node node);
  void ToSplayRoot(Node node);
  void Access(Node node);
  Node Root(Node node);

  std::vector<Node> parents_;
  std::vector<Splay> splay_;
};

}  // namespace server::imap::sort
