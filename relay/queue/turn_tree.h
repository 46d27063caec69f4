// Who is next, when sender domains take turns, within one its senders do, and within a sender the leaves do
// (recipient domains, or paths). A node exists while it has leaves: a new one takes its place behind those
// that wait, and one that was served goes behind all others of its level. `sender` is a number of sender.h:
// its domain is what stands above the last kLocalBits. Every operation is O(1) with a hash look-up; nothing
// is allocated for a leaf that exists. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "conf/vocab/check.h"
#include "conf/vocab/intrusive_list.h"
#include "relay/queue/sender.h"

namespace relay::queue {

template <typename Leaf>
class TurnTree {
 public:
  struct Node {
    conf::ListHook<Node> hook;
    Node* parent = nullptr;  // null: a sender domain
    conf::IntrusiveList<Node, &Node::hook> children;
    uint64_t key = 0;
    Leaf leaf{};  // of the last level only
    uint32_t sender() const { return static_cast<uint32_t>(key >> 32); }
  };
  static constexpr uint32_t kMostLeaf = UINT32_MAX - 2;  // the two above name the other levels

  TurnTree() = default;
  TurnTree(const TurnTree&) = delete;
  TurnTree& operator=(const TurnTree&) = delete;
  ~TurnTree() {
    for (auto& [key, node] : nodes_) node.children.clear();
    domains_.clear();
  }

  bool empty() const { return nodes_.empty(); }
  size_t size() const { return nodes_.size(); }  // leaves and what stands above them
  bool has_sender(uint32_t sender) const { return nodes_.contains(sender_key(sender)); }

  // Found or made.
  Node* at(uint32_t sender, uint32_t leaf) {
    CHECK(leaf <= kMostLeaf);
    const auto [found, fresh] = nodes_.try_emplace(leaf_key(sender, leaf));
    Node* node = &found->second;
    if (!fresh) return node;
    node->key = found->first;
    node->parent = parent_at(sender_key(sender), domain_key(sender));
    node->parent->children.push_back(node);
    return node;
  }
  Node* find(uint32_t sender, uint32_t leaf) {
    const auto found = nodes_.find(leaf_key(sender, leaf));
    return found == nodes_.end() ? nullptr : &found->second;
  }
  // The leaf goes, and its sender and their domain when nothing is left of them.
  void drop(Node* leaf) {
    for (Node* node = leaf; node != nullptr && node->children.empty();) {
      Node* parent = node->parent;
      list_of(node)->erase(node);
      nodes_.erase(node->key);
      node = parent;
    }
  }

  // The leaf that is next in turn; null when empty.
  Node* front() const {
    return domains_.empty() ? nullptr : domains_.front()->children.front()->children.front();
  }
  // The same among those of one sender.
  Node* front_of(uint32_t sender) {
    const auto found = nodes_.find(sender_key(sender));
    return found == nodes_.end() ? nullptr : found->second.children.front();
  }
  // It had its turn.
  void served(Node* leaf) {
    for (Node* node = leaf; node != nullptr; node = node->parent) {
      list_of(node)->erase(node);
      list_of(node)->push_back(node);
    }
  }
  void make_first(Node* leaf) {
    for (Node* node = leaf; node != nullptr; node = node->parent) {
      list_of(node)->erase(node);
      list_of(node)->push_front(node);
    }
  }
  // The next leaves about in the order of their turns, at most `most` of each sender domain and of all, until
  // `use` says true: then the one it said it of.
  template <typename Use>
  Node* look(size_t most, const Use& use) const {
    for (size_t round = 0; round < most; ++round) {
      bool more = false;
      size_t seen = 0;
      for (Node* domain = domains_.front(); domain != nullptr && seen < most;
           domain = domains_.after(domain)) {
        Node* leaf = nth(*domain, round);
        ++seen;
        if (leaf == nullptr) continue;
        more = true;
        if (use(leaf)) return leaf;
      }
      if (!more || seen * (round + 1) >= most) break;
    }
    return nullptr;
  }

 private:
  using List = conf::IntrusiveList<Node, &Node::hook>;
  static uint64_t leaf_key(uint32_t sender, uint32_t leaf) { return uint64_t{sender} << 32 | leaf; }
  static uint64_t sender_key(uint32_t sender) { return leaf_key(sender, UINT32_MAX); }
  static uint64_t domain_key(uint32_t sender) {
    return leaf_key(sender >> kLocalBits << kLocalBits, UINT32_MAX - 1);
  }
  List* list_of(Node* node) { return node->parent == nullptr ? &domains_ : &node->parent->children; }

  Node* parent_at(uint64_t key, uint64_t domain) {
    const auto [found, fresh] = nodes_.try_emplace(key);
    Node* node = &found->second;
    if (!fresh) return node;
    node->key = key;
    const auto [above, new_domain] = nodes_.try_emplace(domain);
    node->parent = &above->second;
    if (new_domain) {
      node->parent->key = domain;
      domains_.push_back(node->parent);
    }
    node->parent->children.push_back(node);
    return node;
  }
  // The leaf that has the n-th turn of this domain, by the order of now.
  static Node* nth(const Node& domain, size_t n) {
    const size_t senders = domain.children.size();
    Node* sender = domain.children.front();
    for (size_t i = n % senders; i > 0; --i) sender = domain.children.after(sender);
    Node* leaf = sender->children.front();
    for (size_t i = n / senders; i > 0 && leaf != nullptr; --i) leaf = sender->children.after(leaf);
    return leaf;
  }

  std::unordered_map<uint64_t, Node> nodes_;
  List domains_;  // front: next in turn
};

}  // namespace relay::queue
