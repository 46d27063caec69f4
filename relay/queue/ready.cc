#include "relay/queue/ready.h"

#include "conf/vocab/check.h"

namespace relay::queue {
namespace {

// A hash table keeps its buckets when its elements go; above this many they are given back once all are gone.
constexpr size_t kBucketsKept = 64;

uint64_t flow_key(const Delivery& delivery) {
  return (static_cast<uint64_t>(delivery.domain) << 32) | delivery.sender;
}

template <typename List, typename Element>
void move_to_back(List* list, Element* element) {
  list->erase(element);
  list->push_back(element);
}

template <typename List, typename Element>
void move_to_front(List* list, Element* element) {
  list->erase(element);
  list->push_front(element);
}

}  // namespace

ReadyQueue::~ReadyQueue() {
  while (oldest_ != nullptr) erase(oldest_);
}

ReadyQueue::SenderFlow* ReadyQueue::flow_for(const Delivery& delivery) {
  const auto [sender, new_sender] = sender_flows_.try_emplace(flow_key(delivery));
  SenderFlow* flow = &sender->second;
  if (!new_sender) return flow;
  const auto [domain, new_domain] = domain_flows_.try_emplace(delivery.domain);
  if (new_domain) domains_in_turn_.push_back(&domain->second);
  flow->domain = &domain->second;
  flow->domain->senders.push_back(flow);
  return flow;
}

void ReadyQueue::push_back(Delivery* delivery) {
  flow_for(*delivery)->deliveries.push_back(delivery);
  delivery->arrived_before = newest_;
  delivery->arrived_after = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->arrived_after) = delivery;
  newest_ = delivery;
  ++size_;
}

void ReadyQueue::push_front(Delivery* delivery) {
  SenderFlow* flow = flow_for(*delivery);
  flow->deliveries.push_front(delivery);
  move_to_front(&flow->domain->senders, flow);
  move_to_front(&domains_in_turn_, flow->domain);
  delivery->arrived_before = nullptr;
  delivery->arrived_after = oldest_;
  (oldest_ == nullptr ? newest_ : oldest_->arrived_before) = delivery;
  oldest_ = delivery;
  ++size_;
}

Delivery* ReadyQueue::front() const {
  const DomainFlow* domain = domains_in_turn_.front();
  return domain == nullptr ? nullptr : domain->senders.front()->deliveries.front();
}

Delivery* ReadyQueue::pop_front() {
  DomainFlow* domain = domains_in_turn_.front();
  if (domain == nullptr) return nullptr;
  SenderFlow* flow = domain->senders.front();
  Delivery* delivery = flow->deliveries.front();
  move_to_back(&domain->senders, flow);
  move_to_back(&domains_in_turn_, domain);
  take_out(delivery, flow);
  return delivery;
}

void ReadyQueue::erase(Delivery* delivery) {
  const auto found = sender_flows_.find(flow_key(*delivery));
  CHECK(found != sender_flows_.end());
  take_out(delivery, &found->second);
}

void ReadyQueue::take_out(Delivery* delivery, SenderFlow* flow) {
  flow->deliveries.erase(delivery);
  leave_arrivals(delivery);
  --size_;
  drop_if_empty(*delivery, flow);
}

void ReadyQueue::drop_if_empty(const Delivery& delivery, SenderFlow* flow) {
  if (!flow->deliveries.empty()) return;
  DomainFlow* domain = flow->domain;
  domain->senders.erase(flow);
  sender_flows_.erase(flow_key(delivery));
  if (!domain->senders.empty()) return;
  domains_in_turn_.erase(domain);
  domain_flows_.erase(delivery.domain);
  if (!domain_flows_.empty()) return;
  if (sender_flows_.bucket_count() > kBucketsKept) sender_flows_.rehash(0);
  if (domain_flows_.bucket_count() > kBucketsKept) domain_flows_.rehash(0);
}

void ReadyQueue::leave_arrivals(Delivery* delivery) {
  Delivery* before = delivery->arrived_before;
  Delivery* after = delivery->arrived_after;
  if (round_ == delivery) round_ = after;
  (before == nullptr ? oldest_ : before->arrived_after) = after;
  (after == nullptr ? newest_ : after->arrived_before) = before;
  delivery->arrived_before = delivery->arrived_after = nullptr;
}

}  // namespace relay::queue
