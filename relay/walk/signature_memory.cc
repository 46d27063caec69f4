#include "relay/walk/signature_memory.h"

namespace relay {

void SignatureMemory::keep(conf::MessageId id, const std::string& fields, conf::Instant now,
                           conf::Instant until) {
  while (!order_.empty() && known_.at(order_.front()).until <= now) drop_oldest();
  const auto [place, is_new] = known_.try_emplace(id, Entry{fields, until});
  if (!is_new) return;
  order_.push_back(id);
  bytes_ += cost(place->second);
  while (bytes_ > most_bytes_) drop_oldest();
}

const std::string* SignatureMemory::find(conf::MessageId id, conf::Instant now) const {
  const auto found = known_.find(id);
  return found == known_.end() || found->second.until <= now ? nullptr : &found->second.fields;
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
