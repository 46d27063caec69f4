// One level of a TurnTree: the children of a node in two orders, the one in which turns go round, and that of
// the newcomers, which are those to which something came since they last had a turn for it. Every operation
// is O(1); a node belongs to the tree, and is a child of one node. One thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "conf/vocab/intrusive_list.h"

namespace relay::queue {

enum class Turn : uint8_t { kRound, kLatest };

template <typename Leaf>
class TurnNode {
 public:
  uint64_t key = 0;  // the tree's
  Leaf leaf{};       // of the last level only
  uint32_t sender() const { return static_cast<uint32_t>(key >> 32); }

  TurnNode* parent() const { return parent_; }  // null: the root, or no child yet
  bool empty() const { return children_.empty(); }
  size_t size() const { return children_.size(); }
  TurnNode* first() const { return children_.front(); }  // of those that go round; null: none
  TurnNode* after(TurnNode* child) const { return children_.after(child); }
  TurnNode* nth(size_t n) const {  // of the same; null: there are not so many
    TurnNode* child = first();
    for (; n > 0 && child != nullptr; --n) child = after(child);
    return child;
  }
  TurnNode* latest() const { return newcomers_.back(); }  // of the newcomers; null: none
  // Who has such a turn.
  TurnNode* next(Turn turn) const {
    return turn == Turn::kLatest && latest() != nullptr ? latest() : first();
  }

  // A newcomer, behind all others.
  void add(TurnNode* child) {
    child->parent_ = this;
    children_.push_back(child);
    newcomers_.push_back(child);
  }
  void remove(TurnNode* child) {
    new_no_more(child);
    children_.erase(child);
    child->parent_ = nullptr;
  }
  // It is the latest newcomer, though it has been here.
  void make_latest(TurnNode* child) {
    if (newcomers_.back() == child) return;
    new_no_more(child);
    newcomers_.push_back(child);
  }
  void new_no_more(TurnNode* child) {
    if (child->newcomer_hook_.linked()) newcomers_.erase(child);
  }
  void to_the_end(TurnNode* child) {
    children_.erase(child);
    children_.push_back(child);
  }
  void to_the_front(TurnNode* child) {
    children_.erase(child);
    children_.push_front(child);
  }
  void clear() {
    children_.clear();
    newcomers_.clear();
  }

 private:
  conf::ListHook<TurnNode> hook_;
  conf::ListHook<TurnNode> newcomer_hook_;
  TurnNode* parent_ = nullptr;
  conf::IntrusiveList<TurnNode, &TurnNode::hook_> children_;            // front: the next that goes round
  conf::IntrusiveList<TurnNode, &TurnNode::newcomer_hook_> newcomers_;  // of these; back: the latest
};

}  // namespace relay::queue
