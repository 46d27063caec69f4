#include "relay/walk/resting.h"

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

bool Resting::take_out(Delivery* delivery) {
  if (delivery->state == DeliveryState::kScheduled) {
    scheduled_.erase(delivery);
    return true;
  }
  if (delivery->state != DeliveryState::kHeld) return false;
  --held_;
  return true;
}

}  // namespace relay
