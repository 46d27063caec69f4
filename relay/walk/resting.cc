#include "relay/walk/resting.h"

#include <algorithm>
#include <utility>

namespace relay {

using queue::Delivery;
using queue::DeliveryState;

void Resting::lay_down(Delivery* delivery) {
  if (delivery->message != nullptr) messages_->unpin(std::exchange(delivery->message, nullptr));
  delivery->path = nullptr;
}

void Resting::schedule(Delivery* delivery) {
  lay_down(delivery);
  delivery->wait_told = false;
  delivery->move_to(DeliveryState::kScheduled);
  scheduled_.push(delivery);
}

void Resting::hold(Delivery* delivery) {
  lay_down(delivery);
  delivery->move_to(DeliveryState::kHeld);
  ++held_;
}

void Resting::pause(Delivery* delivery) {
  lay_down(delivery);
  delivery->move_to(DeliveryState::kPaused);
  of_streams_[delivery->stream].push_back(delivery);
  ++paused_;
  look_at_ = std::min(look_at_, streams_->held_until(delivery->stream));
}

Delivery* Resting::next_due(conf::Instant now) {
  Delivery* delivery = scheduled_.pop_due(now);
  return delivery != nullptr ? delivery : next_of_stream(now);
}

// One stream after the other, each until it has no more. Those still held are looked at again when the first
// of them ends.
Delivery* Resting::next_of_stream(conf::Instant now) {
  if (now < look_at_) return nullptr;
  look_at_ = conf::kNever;
  const auto from = of_streams_.lower_bound(next_);
  for (const auto& [begin, end] :
       {std::pair(from, of_streams_.end()), std::pair(of_streams_.begin(), from)}) {
    for (auto stream = begin; stream != end; ++stream) {
      const conf::Instant until = streams_->held_until(stream->first);
      look_at_ = std::min(look_at_, until);
      if (until > now) continue;
      next_ = stream->first;
      Delivery* delivery = stream->second.front();
      take_from_stream(delivery);
      return delivery;
    }
  }
  return nullptr;
}

bool Resting::take_out(Delivery* delivery) {
  if (delivery->state == DeliveryState::kScheduled) {
    scheduled_.erase(delivery);
    return true;
  }
  if (delivery->state == DeliveryState::kPaused) {
    take_from_stream(delivery);
    return true;
  }
  if (delivery->state != DeliveryState::kHeld) return false;
  --held_;
  return true;
}

void Resting::take_from_stream(Delivery* delivery) {
  const auto stream = of_streams_.find(delivery->stream);
  stream->second.erase(delivery);
  if (stream->second.empty()) of_streams_.erase(stream);
  --paused_;
}

conf::Instant Resting::next_wake() const {
  return std::min(scheduled_.next(), of_streams_.empty() ? conf::kNever : look_at_);
}

}  // namespace relay
