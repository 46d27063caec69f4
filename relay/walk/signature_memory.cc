#include "relay/walk/signature_memory.h"

#include <utility>

namespace relay {

void SignatureMemory::keep(conf::MessageId id, Kept kept, conf::Instant now) {
  while (!order_.empty() && known_.at(order_.front()).until <= now) drop_oldest();
  const auto [place, is_new] = known_.try_emplace(id, std::move(kept));
  if (!is_new) return;
  order_.push_back(id);
  bytes_ += cost(place->second);
  while (bytes_ > most_bytes_) drop_oldest();
}

const SignatureMemory::Kept* SignatureMemory::find(conf::MessageId id, conf::Instant now) const {
  const auto found = known_.find(id);
  return found == known_.end() || found->second.until <= now ? nullptr : &found->second;
}

void SignatureMemory::clear() {
  known_.clear();
  order_.clear();
  bytes_ = 0;
}

void SignatureMemory::drop_oldest() {
  const auto oldest = known_.find(order_.front());
  bytes_ -= cost(oldest->second);
  known_.erase(oldest);
  order_.pop_front();
}

}  // namespace relay
