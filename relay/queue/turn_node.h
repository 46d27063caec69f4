// One level of a TurnTree: who of the children of a node is next. Two orders in one: every second turn goes
// to the latest of the newcomers, where there are any, and the other turns go round. So who comes with little
// waits for two turns, however many wait, and nobody loses more than half of his turns. (The new flows of
// FQ-CoDel, RFC 8290 section 4.2, with a bound for those that are always new.) Every operation is O(1); a
// node belongs to the tree, and is a child of one node. One thread.
#pragma once

#include <cstdint>

#include "conf/vocab/intrusive_list.h"

namespace relay::queue {

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

  // The child that has the next turn; null: none.
  TurnNode* next() const { return latest_is_next_ && !newcomers_.empty() ? newcomers_.back() : first(); }

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
  // It had its turn; a newcomer that stays one has the next turn of newcomers too.
  void served(TurnNode* child, bool stays_new) {
    latest_is_next_ = !(latest_is_next_ && newcomers_.back() == child);
    if (!stays_new) new_no_more(child);
    to_the_end(child);
  }
  void make_last(TurnNode* child) {
    new_no_more(child);
    to_the_end(child);
  }
  // It has the next turn.
  void make_first(TurnNode* child) {
    latest_is_next_ = false;
    children_.erase(child);
    children_.push_front(child);
  }
  void clear() {
    children_.clear();
    newcomers_.clear();
  }

 private:
  void to_the_end(TurnNode* child) {
    children_.erase(child);
    children_.push_back(child);
  }

  conf::ListHook<TurnNode> hook_;
  conf::ListHook<TurnNode> newcomer_hook_;
  TurnNode* parent_ = nullptr;
  conf::IntrusiveList<TurnNode, &TurnNode::hook_> children_;            // front: the next that goes round
  conf::IntrusiveList<TurnNode, &TurnNode::newcomer_hook_> newcomers_;  // of these; back: the latest
  bool latest_is_next_ = false;                                         // where there is one
};

}  // namespace relay::queue
