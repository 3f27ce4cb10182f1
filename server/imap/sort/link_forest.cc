#include "server/imap/sort/link_forest.h"

namespace server::imap::sort {

LinkForest::Node LinkForest::Add() {
  parents_.push_back(kNone);
  splay_.emplace_back();
  return static_cast<Node>(parents_.size() - 1);
}

bool LinkForest::Link(Node child, Node parent) {
  if (Root(parent) == child) return false;
  Access(child);  // alone in its splay tree: it has nothing above, and nothing below is preferred
  splay_[child].up = parent;
  parents_[child] = parent;
  return true;
}

void LinkForest::Cut(Node child) {
  if (parents_[child] == kNone) return;
  Access(child);
  Node& above = splay_[child].left;
  splay_[above].up = kNone;
  above = kNone;
  parents_[child] = kNone;
}

bool LinkForest::IsSplayRoot(Node node) const {
  const Node up = splay_[node].up;
  return up == kNone || (splay_[up].left != node && splay_[up].right != node);
}

void LinkForest::Rotate(Node node) {
  const Node up = splay_[node].up;
  const Node top = splay_[up].up;
  if (!IsSplayRoot(up)) (splay_[top].left == up ? splay_[top].left : splay_[top].right) = node;
  const bool is_left = splay_[up].left == node;
  Node& inner = is_left ? splay_[node].right : splay_[node].left;
  (is_left ? splay_[up].left : splay_[up].right) = inner;
  if (inner != kNone) splay_[inner].up = up;
  inner = up;
  splay_[up].up = node;
  splay_[node].up = top;
}

void LinkForest::ToSplayRoot(Node node) {
  while (!IsSplayRoot(node)) {
    const Node up = splay_[node].up;
    if (!IsSplayRoot(up)) {
      const Node top = splay_[up].up;
      const bool straight = (splay_[top].left == up) == (splay_[up].left == node);
      Rotate(straight ? up : node);
    }
    Rotate(node);
  }
}

/// Makes the path from the root to `node`, and nothing below it, one splay tree with `node` on top.
void LinkForest::Access(Node node) {
  Node below = kNone;
  for (Node at = node; at != kNone; at = splay_[at].up) {
    ToSplayRoot(at);
    splay_[at].right = below;
    below = at;
  }
  ToSplayRoot(node);
}

LinkForest::Node LinkForest::Root(Node node) {
  Access(node);
  Node root = node;
  while (splay_[root].left != kNone) root = splay_[root].left;
  ToSplayRoot(root);  // pays for the way down
  return root;
}

}  // namespace server::imap::sort
