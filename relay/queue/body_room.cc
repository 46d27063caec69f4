#include "relay/queue/body_room.h"

#include <algorithm>

#include "conf/vocab/check.h"

namespace relay::queue {

void BodyRoom::Lease::shrink_to(uint64_t bytes) {
  if (room_ == nullptr || bytes >= bytes_) return;
  room_->give_back(share_, round_, bytes_ - bytes);
  bytes_ = bytes;
}

void BodyRoom::Lease::give_back() {
  if (room_ != nullptr) std::exchange(room_, nullptr)->give_back(share_, round_, bytes_);
}

uint64_t BodyRoom::spoken_for() const {
  return held_ + for_small() - std::min(for_small(), of(BodyShare::kSmall));
}

std::optional<BodyRoom::Lease> BodyRoom::keep(uint64_t bytes) {
  if (small_wait_ || big_wait_) return std::nullopt;
  if (of(BodyShare::kKept) + bytes > budget_ / 4 * 3 || spoken_for() + bytes > budget_) return std::nullopt;
  return take(BodyShare::kKept, bytes);
}

BodyRoom::Lease BodyRoom::take(BodyShare share, uint64_t bytes) {
  Share& of = shares_[static_cast<size_t>(share)];
  held_ += bytes;
  of.bytes += bytes;
  of.passed += bytes;
  if (small_wait_ || big_wait_) ++changes_;  // what the first leaves now it may have needed before
  return {this, share, of.round, bytes};
}

BodyShare BodyRoom::share_of(uint64_t bytes) const {
  return bytes <= std::min(kSmallBody, budget_ / 16) ? BodyShare::kSmall : BodyShare::kBig;
}

bool BodyRoom::fits(BodyShare share, uint64_t bytes, uint64_t promised) const {
  const uint64_t taken = of(share) + promised;
  if (taken == 0) return true;  // one goes alone
  const uint64_t more = promised + bytes;
  if (share == BodyShare::kBig) return spoken_for() + more <= budget_;
  return of(share) + more <= for_small() || (!big_wait_ && held_ + more <= budget_);
}

void BodyRoom::set_budget(uint64_t bytes) {
  budget_ = bytes;
  ++changes_;
}

void BodyRoom::begin_passing(BodyShare share) {
  Share& of = shares_[static_cast<size_t>(share)];
  ++of.round;
  of.passed = 0;
}

void BodyRoom::give_back(BodyShare share, uint32_t round, uint64_t bytes) {
  Share& of = shares_[static_cast<size_t>(share)];
  CHECK(held_ >= bytes && of.bytes >= bytes);
  held_ -= bytes;
  of.bytes -= bytes;
  if (of.round == round) of.passed -= bytes;
  ++changes_;
}

}  // namespace relay::queue
