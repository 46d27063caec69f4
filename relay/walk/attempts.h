// What the attempts under way have left open: a delivery with more recipients than one transaction takes is
// sent in several, and a recipient that fails is written down only when the report about it is stored. Most
// deliveries never stand here: one transaction says all. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "bounce/dsn.h"
#include "conf/vocab/event.h"
#include "relay/queue/delivery.h"
#include "relay/spool/record.h"

namespace relay {

// The final outcome of a recipient that is not in the record yet.
struct Verdict {
  uint32_t recipient = 0;
  spool::RecipientState state = spool::RecipientState::kFailed;
  bool report = false;
  bounce::DsnAction action = bounce::DsnAction::kFailed;
  conf::DeliveryEvent event;
};
using Verdicts = std::vector<Verdict>;

class Attempts {
 public:
  // Recipients whose turn comes in the next transaction of the same attempt.
  bool has_waiting(const queue::Delivery& delivery) const;
  void put_waiting(const queue::Delivery& delivery, std::vector<uint32_t> recipients);
  std::vector<uint32_t> take_waiting(const queue::Delivery& delivery);  // none are left

  void add_verdicts(const queue::Delivery& delivery, Verdicts verdicts);
  const Verdicts& verdicts(const queue::Delivery& delivery) const;
  bool has_verdict(const queue::Delivery& delivery, uint32_t recipient) const;
  Verdicts take_verdicts(const queue::Delivery& delivery);  // none are left

  size_t size() const { return open_.size(); }  // deliveries of which something is left open

 private:
  struct Attempt {
    std::vector<uint32_t> waiting;
    Verdicts verdicts;
  };
  const Attempt* find(const queue::Delivery& delivery) const;
  void forget_empty(const queue::Delivery& delivery);

  std::unordered_map<const queue::Delivery*, Attempt> open_;
};

}  // namespace relay
