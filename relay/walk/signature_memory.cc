#include "relay/walk/signature_memory.h"

#include <utility>

namespace relay {

void SignatureMemory::keep(conf::MessageId id, Kept kept, conf::Instant now) {
  while (!order_.empty() && known_.at(order_.front()).until <= now) drop_oldest();
  const auto [place, is_new] = known_.try_emplace(id);
  if (is_new) {
    order_.push_back(id);
  } else if (place->second.edition == kept.edition && place->second.until > now) {
    return;
  } else {
    bytes_ -= cost(place->second);
  }
  place->second = std::move(kept);
  bytes_ += cost(place->second);
  while (bytes_ > most_bytes_) drop_oldest();
}

const SignatureMemory::Kept* SignatureMemory::find(conf::MessageId id, uint64_t edition,
                                                   conf::Instant now) const {
  const auto found = known_.find(id);
  if (found == known_.end() || found->second.edition != edition || found->second.until <= now) return nullptr;
  return &found->second;
}

// What is too much goes with the next ones that come.
void SignatureMemory::set_most(size_t bytes) { most_bytes_ = bytes; }

void SignatureMemory::drop_oldest() {
  const auto oldest = known_.find(order_.front());
  bytes_ -= cost(oldest->second);
  known_.erase(oldest);
  order_.pop_front();
}

}  // namespace relay
