#include "relay/walk/resting.h"

#include <algorithm>
#include <utility>

namespace relay {

using queue::Delivery;
using queue::DeliveryState;

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

// As WaitingMail has them, for the same reasons.
constexpr conf::Duration kRoundEvery = 1min;
constexpr conf::Duration kPartEvery = 1ms;
constexpr size_t kMostOverAge = 256;
constexpr size_t kLooksAtPaused = 4096;

}  // namespace

void Resting::lay_down(Delivery* delivery) {
  delivery->path = nullptr;
  if (delivery->message == nullptr) return;
  signing_->keep(*delivery->message);
  messages_->unpin(std::exchange(delivery->message, nullptr));
}

void Resting::leave_memory(Delivery* delivery) {
  if (delivery->message == nullptr || delivery->message->room.kept > 0 || delivery->changed) return;
  signing_->keep(*delivery->message);
  messages_->unpin(std::exchange(delivery->message, nullptr));
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
  of_streams_[delivery->stream].mail.push_back(delivery);
  ++paused_;
  first_end_ = std::min(first_end_, end_(*delivery));
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
      Delivery* delivery = stream->second.mail.front();
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
  OfStream& here = stream->second;
  if (here.next_look == delivery) here.next_look = here.mail.after(delivery);
  here.mail.erase(delivery);
  if (here.mail.empty()) of_streams_.erase(stream);
  --paused_;
}

conf::Instant Resting::next_wake() const {
  if (of_streams_.empty()) return scheduled_.next();
  return std::min({scheduled_.next(), look_at_, next_part_ == conf::kNever ? first_end_ : next_part_});
}

std::vector<Delivery*> Resting::take_over_age(conf::Instant now) {
  std::vector<Delivery*> over;
  if (next_part_ == conf::kNever) {
    if (now < first_end_) return over;
    first_end_ = conf::kNever;
    for (auto& [number, stream] : of_streams_) stream.next_look = stream.mail.front();
  }
  next_part_ = conf::kNever;
  size_t looks = 0;
  for (auto& [number, stream] : of_streams_) {
    if (look_for_ends(&stream, now, &looks, &over)) continue;
    next_part_ = now + kPartEvery;
    break;
  }
  for (Delivery* delivery : over) take_from_stream(delivery);
  return over;
}

// False: the rest of it is for another part.
bool Resting::look_for_ends(OfStream* stream, conf::Instant now, size_t* looks,
                            std::vector<Delivery*>* over) {
  while (Delivery* delivery = stream->next_look) {
    if (over->size() == kMostOverAge || messages_->loading() >= 2 * kMostOverAge) return false;
    if (++*looks > kLooksAtPaused) return false;
    stream->next_look = stream->mail.after(delivery);
    const conf::Instant end = end_(*delivery);
    if (end <= now) {
      over->push_back(delivery);
    } else {
      first_end_ = std::min(first_end_, std::max(end, now + kRoundEvery));
    }
  }
  return true;
}

}  // namespace relay
