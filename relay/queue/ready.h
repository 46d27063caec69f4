// The deliveries of a path that wait for a connection. Fair: the sender domains take turns, within one its
// senders do (sender.h), within a sender the recipient domains do. So 100,000 messages of one mailing delay
// another sender's by one turn, not by 100,000, whether they come from one address or each from its own, and
// whether they go to one domain or to thousands. And every second turn goes to the one that came last, so
// that a receipt does not wait behind the mailings of others, of its own domain or of its own sender. The
// deliveries of one sender to one domain are a flow: they go in order while no more than kInOrder wait, and
// what came last has those before it sent in its turns.
//
// While all that waits is of one sender to one domain it is a plain list; turns are kept from the second flow
// on, and the first has the first of them. Every operation is O(1), with a hash look-up of the flow where it
// has to be found; nothing is allocated for a delivery whose flow exists. Deliveries belong to the caller;
// `domain` and `sender` of one must not change while it is in the queue. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "conf/vocab/intrusive_list.h"
#include "relay/queue/delivery.h"
#include "relay/queue/turn_tree.h"

namespace relay::queue {

class ReadyQueue {
 public:
  // A flow as short as this keeps its order.
  static constexpr size_t kInOrder = 4;

  ReadyQueue() = default;
  ReadyQueue(const ReadyQueue&) = delete;
  ReadyQueue& operator=(const ReadyQueue&) = delete;
  ~ReadyQueue();  // the deliveries are in no queue afterwards

  void push_back(Delivery* delivery);
  // It is what pop_front() gives next, and counts as the oldest: the rest of a partly sent delivery.
  void push_front(Delivery* delivery);
  // The next in turn; null when empty.
  Delivery* pop_front();
  // The next of this sender, for a turn of that kind; null when it has none. `newer_waits` (may be null): of
  // its flow, which is in order, one waits that came after it.
  Delivery* pop_front_of(uint32_t sender, Turn turn, bool* newer_waits);
  Delivery* front() const;
  // `delivery` must be in this queue. The turns of the others stay as they were.
  void erase(Delivery* delivery);
  // The one that has waited longest; null when empty.
  Delivery* oldest() const { return oldest_; }

  // A round over all, oldest first, in as many parts as the caller likes: what comes while it is under way is
  // part of it, what goes is not. It ends when next_of_round() gives null. Rounds of different purpose do not
  // know of each other.
  enum class Purpose : uint8_t { kExpiry, kRoutes };
  void begin_round(Purpose of) { round(of) = {oldest_, true}; }
  bool rounding(Purpose of) const { return rounds_[static_cast<size_t>(of)].under_way; }
  Delivery* next_of_round(Purpose of) {
    Delivery* next = round(of).next;
    if (next == nullptr) {
      round(of).under_way = false;
    } else {
      round(of).next = next->arrived_after;
    }
    return next;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool has_sender(uint32_t sender) const;

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
  struct Flow {
    DeliveryList mail;
    Delivery* next(Turn turn) const {
      return turn == Turn::kLatest && mail.size() > kInOrder ? mail.back() : mail.front();
    }
  };
  using Turns = TurnTree<Flow>;
  struct Round {
    Delivery* next = nullptr;
    bool under_way = false;
  };
  Round& round(Purpose of) { return rounds_[static_cast<size_t>(of)]; }
  bool alone() const { return turns_ == nullptr; }
  bool is_of_the_one(const Delivery& delivery) const {
    return delivery.sender == only_sender_ && delivery.domain == only_domain_;
  }
  Turns::Node* node_for(const Delivery& delivery);  // null: it is of the only flow
  Flow* flow_of(Turns::Node* node) { return node == nullptr ? &only_ : &node->leaf; }
  Delivery* take_next(Turns::Node* node, Turn turn, bool* newer_waits);
  void arrivals_erase(Delivery* delivery);
  void took(Turns::Node* node);

  Flow only_;  // the only flow, while turns_ is null
  Turn only_turn_ = Turn::kRound;
  uint32_t only_sender_ = 0;
  uint32_t only_domain_ = 0;
  std::unique_ptr<Turns> turns_;
  Delivery* oldest_ = nullptr;
  Delivery* newest_ = nullptr;
  std::array<Round, 2> rounds_;  // by purpose
  size_t size_ = 0;
};

}  // namespace relay::queue
