#include "relay/queue/ready.h"

#include "conf/vocab/check.h"

namespace relay::queue {

ReadyQueue::~ReadyQueue() {
  while (oldest_ != nullptr) erase(oldest_);
}

bool ReadyQueue::has_sender(uint32_t sender) const {
  return alone() ? size_ > 0 && only_sender_ == sender : turns_->has_sender(sender);
}

ReadyQueue::Turns::Node* ReadyQueue::flow_for(const Delivery& delivery) {
  if (alone()) {
    if (size_ == 0) {
      only_sender_ = delivery.sender;
      only_domain_ = delivery.domain;
    }
    if (is_of_the_one(delivery)) return nullptr;
    turns_ = std::make_unique<Turns>();
    DeliveryList& first = turns_->at(only_sender_, only_domain_)->leaf;
    while (Delivery* waiting = only_.pop_front()) first.push_back(waiting);
  }
  return turns_->at(delivery.sender, delivery.domain);
}

void ReadyQueue::push_back(Delivery* delivery) {
  Turns::Node* flow = flow_for(*delivery);
  (flow == nullptr ? only_ : flow->leaf).push_back(delivery);
  delivery->arrived_before = newest_;
  delivery->arrived_after = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->arrived_after) = delivery;
  newest_ = delivery;
  ++size_;
}

void ReadyQueue::push_front(Delivery* delivery) {
  Turns::Node* flow = flow_for(*delivery);
  (flow == nullptr ? only_ : flow->leaf).push_front(delivery);
  if (flow != nullptr) turns_->make_first(flow);
  delivery->arrived_before = nullptr;
  delivery->arrived_after = oldest_;
  (oldest_ == nullptr ? newest_ : oldest_->arrived_before) = delivery;
  oldest_ = delivery;
  ++size_;
}

Delivery* ReadyQueue::front() const {
  if (alone()) return only_.front();
  return turns_->front()->leaf.front();
}

Delivery* ReadyQueue::pop_front() {
  if (size_ == 0) return nullptr;
  return take_first(alone() ? nullptr : turns_->front());
}

Delivery* ReadyQueue::pop_front_of(uint32_t sender) {
  if (!has_sender(sender)) return nullptr;
  return take_first(alone() ? nullptr : turns_->front_of(sender));
}

Delivery* ReadyQueue::take_first(Turns::Node* flow) {
  if (flow != nullptr) turns_->served(flow);
  Delivery* delivery = (flow == nullptr ? only_ : flow->leaf).pop_front();
  arrivals_erase(delivery);
  took(flow);
  return delivery;
}

void ReadyQueue::erase(Delivery* delivery) {
  Turns::Node* flow = alone() ? nullptr : turns_->find(delivery->sender, delivery->domain);
  CHECK(alone() ? is_of_the_one(*delivery) : flow != nullptr);
  (flow == nullptr ? only_ : flow->leaf).erase(delivery);
  arrivals_erase(delivery);
  took(flow);
}

void ReadyQueue::took(Turns::Node* flow) {
  --size_;
  if (flow != nullptr && flow->leaf.empty()) turns_->drop(flow);
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
