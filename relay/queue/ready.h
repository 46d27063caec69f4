// The deliveries of a path that wait for a connection. Fair: the recipient domains take turns, within a
// domain its senders take turns, and the deliveries of one sender to one domain go in order. So 100,000
// messages of one sender delay another's by one turn, not by 100,000.
//
// A flow (a domain, or a sender within a domain) exists while it has deliveries: a new one takes its place
// behind those that wait, and a flow that was served goes behind all others. Every operation is O(1), with a
// hash look-up of the flow where it has to be found; nothing is allocated for a delivery whose flow exists.
// Deliveries belong to the caller; `domain` and `sender` of one must not change while it is in the queue.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "conf/vocab/intrusive_list.h"
#include "relay/queue/delivery.h"

namespace relay::queue {

class ReadyQueue {
 public:
  ReadyQueue() = default;
  ReadyQueue(const ReadyQueue&) = delete;
  ReadyQueue& operator=(const ReadyQueue&) = delete;
  ~ReadyQueue();  // the deliveries are in no queue afterwards

  void push_back(Delivery* delivery);
  // It is what pop_front() gives next, and counts as the oldest: the rest of a partly sent delivery.
  void push_front(Delivery* delivery);
  // The next in turn; null when empty.
  Delivery* pop_front();
  Delivery* front() const;
  // `delivery` must be in this queue. The turns of the others stay as they were.
  void erase(Delivery* delivery);
  // The one that has waited longest; null when empty.
  Delivery* oldest() const { return oldest_; }

  // A round over all, oldest first, in as many parts as the caller likes: what comes while it is under way is
  // part of it, what goes is not. It ends when next_of_round() gives null.
  void begin_round() {
    round_ = oldest_;
    rounding_ = true;
  }
  bool rounding() const { return rounding_; }
  Delivery* next_of_round() {
    Delivery* next = round_;
    if (next == nullptr) {
      rounding_ = false;
    } else {
      round_ = next->arrived_after;
    }
    return next;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Every delivery, oldest first. `use` may erase the delivery it is given, nothing else.
  template <typename Use>
  void for_each(const Use& use) const {
    for (Delivery* delivery = oldest_; delivery != nullptr;) {
      Delivery* next = delivery->arrived_after;
      use(delivery);
      delivery = next;
    }
  }

 private:
  struct DomainFlow;
  struct SenderFlow {
    DomainFlow* domain = nullptr;
    conf::ListHook<SenderFlow> hook;
    DeliveryList deliveries;
  };
  struct DomainFlow {
    conf::ListHook<DomainFlow> hook;
    conf::IntrusiveList<SenderFlow, &SenderFlow::hook> senders;  // front: next in turn
  };

  SenderFlow* flow_for(const Delivery& delivery);
  void take_out(Delivery* delivery, SenderFlow* flow);
  void drop_if_empty(const Delivery& delivery, SenderFlow* flow);
  void leave_arrivals(Delivery* delivery);

  std::unordered_map<uint32_t, DomainFlow> domain_flows_;
  std::unordered_map<uint64_t, SenderFlow> sender_flows_;               // by domain and sender
  conf::IntrusiveList<DomainFlow, &DomainFlow::hook> domains_in_turn_;  // front: next in turn
  Delivery* oldest_ = nullptr;
  Delivery* newest_ = nullptr;
  Delivery* round_ = nullptr;  // the next of the round
  bool rounding_ = false;
  size_t size_ = 0;
};

}  // namespace relay::queue
