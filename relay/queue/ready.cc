#include "relay/queue/ready.h"

#include "conf/vocab/check.h"

namespace relay::queue {

ReadyQueue::~ReadyQueue() {
  while (oldest_ != nullptr) erase(oldest_);
}

bool ReadyQueue::has_sender(uint32_t sender) const {
  return alone() ? size_ > 0 && only_sender_ == sender : turns_->has_sender(sender);
}

ReadyQueue::Turns::Node* ReadyQueue::node_for(const Delivery& delivery) {
  if (alone()) {
    if (size_ == 0) {
      only_sender_ = delivery.sender;
      only_domain_ = delivery.domain;
      only_turn_ = Turn::kRound;
    }
    if (is_of_the_one(delivery)) return nullptr;
    turns_ = std::make_unique<Turns>();
    Turns::Node* node = turns_->at(only_sender_, only_domain_);
    while (Delivery* waiting = only_.mail.pop_front()) node->leaf.mail.push_back(waiting);
  }
  return turns_->at(delivery.sender, delivery.domain);
}

void ReadyQueue::push_back(Delivery* delivery) {
  flow_of(node_for(*delivery))->mail.push_back(delivery);
  delivery->arrived_before = newest_;
  delivery->arrived_after = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->arrived_after) = delivery;
  newest_ = delivery;
  ++size_;
}

void ReadyQueue::push_front(Delivery* delivery) {
  Turns::Node* node = node_for(*delivery);
  if (node != nullptr) turns_->make_first(node);
  only_turn_ = Turn::kRound;
  flow_of(node)->mail.push_front(delivery);
  delivery->arrived_before = nullptr;
  delivery->arrived_after = oldest_;
  (oldest_ == nullptr ? newest_ : oldest_->arrived_before) = delivery;
  oldest_ = delivery;
  ++size_;
}

Delivery* ReadyQueue::front() const {
  if (alone()) return only_.next(only_turn_);
  const Turns::Node* node = turns_->front();
  return node->leaf.next(turns_->turn_of(node));
}

Delivery* ReadyQueue::pop_front() {
  if (size_ == 0) return nullptr;
  Turns::Node* node = alone() ? nullptr : turns_->front();
  return take_next(node, alone() ? only_turn_ : turns_->turn_of(node), nullptr);
}

Delivery* ReadyQueue::pop_front_of(uint32_t sender, Turn turn, bool* newer_waits) {
  if (!has_sender(sender)) return nullptr;
  return take_next(alone() ? nullptr : turns_->front_of(sender, turn), turn, newer_waits);
}

Delivery* ReadyQueue::take_next(Turns::Node* node, Turn turn, bool* newer_waits) {
  Flow* flow = flow_of(node);
  Delivery* delivery = flow->next(turn);
  const bool newer = flow->mail.size() <= kInOrder && delivery != flow->mail.back();
  if (newer_waits != nullptr) *newer_waits = newer;
  if (node != nullptr) turns_->served(node, turn, newer);
  only_turn_ = turn == Turn::kRound ? Turn::kLatest : Turn::kRound;
  flow->mail.erase(delivery);
  arrivals_erase(delivery);
  took(node);
  return delivery;
}

void ReadyQueue::erase(Delivery* delivery) {
  Turns::Node* node = alone() ? nullptr : turns_->find(delivery->sender, delivery->domain);
  CHECK(alone() ? is_of_the_one(*delivery) : node != nullptr);
  flow_of(node)->mail.erase(delivery);
  arrivals_erase(delivery);
  took(node);
}

void ReadyQueue::took(Turns::Node* node) {
  --size_;
  if (node != nullptr && node->leaf.mail.empty()) turns_->drop(node);
  if (size_ == 0) turns_.reset();
}

void ReadyQueue::arrivals_erase(Delivery* delivery) {
  Delivery* before = delivery->arrived_before;
  Delivery* after = delivery->arrived_after;
  for (Round& round : rounds_) {
    if (round.next == delivery) round.next = after;
  }
  (before == nullptr ? oldest_ : before->arrived_after) = after;
  (after == nullptr ? newest_ : after->arrived_before) = before;
  delivery->arrived_before = delivery->arrived_after = nullptr;
}

}  // namespace relay::queue
