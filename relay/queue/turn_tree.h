// Who is next, when sender domains take turns, within one its senders do, and within a sender the leaves do
// (recipient domains, or paths). Turns go round on each level; but every second turn is for what came last,
// where something came since the last such turn: from the root down it goes to the latest newcomer of each
// level (turn_node.h). So what comes with little waits for two turns, whoever else waits and though more of
// its own domain and sender does, and nobody loses more than half of his turns (FQ-CoDel, RFC 8290 §4.2).
//
// A node exists while it has leaves: a new one takes its place behind those that wait, and one that was
// served goes behind all others of its level. `sender` is a number of sender.h: its domain is what stands
// above the last kLocalBits. Every operation is O(1), with a hash look-up. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "conf/vocab/check.h"
#include "relay/queue/sender.h"
#include "relay/queue/turn_node.h"

namespace relay::queue {

template <typename Leaf>
class TurnTree {
 public:
  using Node = TurnNode<Leaf>;
  static constexpr uint32_t kMostLeaf = UINT32_MAX - 2;  // the two above name the other levels

  TurnTree() = default;
  TurnTree(const TurnTree&) = delete;
  TurnTree& operator=(const TurnTree&) = delete;
  ~TurnTree() {
    for (auto& [key, node] : nodes_) node.clear();
    root_.clear();
  }

  bool empty() const { return nodes_.empty(); }
  size_t size() const { return nodes_.size(); }  // leaves and what stands above them
  bool has_sender(uint32_t sender) const { return nodes_.contains(sender_key(sender)); }

  // Something comes to the leaf, found or made: it is new, and what stands above it.
  Node* at(uint32_t sender, uint32_t leaf) {
    CHECK(leaf <= kMostLeaf);
    const auto [found, fresh] = nodes_.try_emplace(leaf_key(sender, leaf));
    Node* leaf_node = &found->second;
    if (fresh) {
      leaf_node->key = found->first;
      parent_at(sender_key(sender), domain_key(sender))->add(leaf_node);
    }
    for (Node* node = leaf_node; node->parent() != nullptr; node = node->parent())
      node->parent()->make_latest(node);
    return leaf_node;
  }
  Node* find(uint32_t sender, uint32_t leaf) {
    const auto found = nodes_.find(leaf_key(sender, leaf));
    return found == nodes_.end() ? nullptr : &found->second;
  }
  // The leaf goes, and its sender and their domain when nothing is left of them.
  void drop(Node* leaf) {
    Node* node = leaf;
    while (node->parent() != nullptr && node->empty()) {
      Node* parent = node->parent();
      parent->remove(node);
      nodes_.erase(node->key);
      node = parent;
    }
    // Whoever is new has something new below.
    for (; node->parent() != nullptr && node->latest() == nullptr; node = node->parent())
      node->parent()->new_no_more(node);
  }

  // The leaf that is next in turn; null when empty.
  Node* front() const { return empty() ? nullptr : root_.next(turn())->next(turn())->next(turn()); }
  // The same among those of one sender, for such a turn.
  Node* front_of(uint32_t sender, Turn turn) {
    const auto found = nodes_.find(sender_key(sender));
    return found == nodes_.end() ? nullptr : found->second.next(turn);
  }
  // What kind of turn it is for that leaf.
  Turn turn_of(const Node* leaf) const {
    return turn() == Turn::kLatest && leaf == front() ? Turn::kLatest : Turn::kRound;
  }
  // It had its turn. `stays_new`: it was for what came last, but something else went before that.
  void served(Node* leaf, Turn turn, bool stays_new) {
    latest_is_next_ = turn == Turn::kRound;
    for (Node* node = leaf; node->parent() != nullptr; node = node->parent()) {
      node->parent()->to_the_end(node);
      if (turn == Turn::kLatest && !stays_new) node->parent()->new_no_more(node);
    }
  }
  // It goes behind all others.
  void make_last(Node* leaf) {
    for (Node* node = leaf; node->parent() != nullptr; node = node->parent()) {
      node->parent()->new_no_more(node);
      node->parent()->to_the_end(node);
    }
  }
  // It is next.
  void make_first(Node* leaf) {
    latest_is_next_ = false;
    for (Node* node = leaf; node->parent() != nullptr; node = node->parent())
      node->parent()->to_the_front(node);
  }
  // The next leaf, and then those that follow about in the order in which turns go round, at most `most` of
  // each sender domain and of all, until `use` says true: then the one it said it of.
  template <typename Use>
  Node* look(size_t most, const Use& use) const {
    Node* const next = front();
    if (next == nullptr || use(next)) return next;
    for (size_t round = 0; round < most; ++round) {
      bool more = false;
      size_t seen = 0;
      for (Node* domain = root_.first(); domain != nullptr && seen < most; domain = root_.after(domain)) {
        Node* leaf = domain->nth(round % domain->size())->nth(round / domain->size());
        ++seen;
        if (leaf == nullptr) continue;
        more = true;
        if (leaf != next && use(leaf)) return leaf;
      }
      if (!more || seen * (round + 1) >= most) break;
    }
    return nullptr;
  }

 private:
  Turn turn() const { return latest_is_next_ && root_.latest() != nullptr ? Turn::kLatest : Turn::kRound; }
  static uint64_t leaf_key(uint32_t sender, uint32_t leaf) { return uint64_t{sender} << 32 | leaf; }
  static uint64_t sender_key(uint32_t sender) { return leaf_key(sender, UINT32_MAX); }
  static uint64_t domain_key(uint32_t sender) {
    return leaf_key(sender >> kLocalBits << kLocalBits, UINT32_MAX - 1);
  }
  Node* parent_at(uint64_t key, uint64_t domain) {
    const auto [found, fresh] = nodes_.try_emplace(key);
    Node* node = &found->second;
    if (!fresh) return node;
    node->key = key;
    const auto [above, new_domain] = nodes_.try_emplace(domain);
    if (new_domain) {
      above->second.key = domain;
      root_.add(&above->second);
    }
    above->second.add(node);
    return node;
  }

  std::unordered_map<uint64_t, Node> nodes_;
  Node root_;                    // above the sender domains
  bool latest_is_next_ = false;  // where something is new
};

}  // namespace relay::queue
