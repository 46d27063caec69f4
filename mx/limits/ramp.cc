#include "mx/limits/ramp.h"

#include <algorithm>

namespace mx {

namespace {

constexpr uint32_t kMostFirst = UINT32_MAX >> Ramp::kSteps;  // doubled so often it still fits

}  // namespace

void Ramp::begin(uint32_t first, conf::Instant now) {
  began_ = now;
  first_ = std::clamp(first, 1U, kMostFirst);
  step_ = used_ = 0;
}

uint32_t Ramp::step(conf::Instant now) const {
  return static_cast<uint32_t>(std::clamp<int64_t>((now - began_) / kStep, 0, kSteps - 1));
}

Admission Ramp::may_send(conf::Instant now) const {
  const uint32_t now_step = step(now);
  if (now_step != step_ || used_ < first_ << now_step) return {};
  return Admission::no(Bind::kRamp, began_ + kStep * (now_step + 1));
}

uint32_t Ramp::left(conf::Instant now) const {
  const uint32_t now_step = step(now);
  const uint32_t used = now_step == step_ ? used_ : 0;
  return (first_ << now_step) - std::min(used, first_ << now_step);
}

void Ramp::charge(conf::Instant now) {
  const uint32_t now_step = step(now);
  used_ = now_step == step_ ? used_ + 1 : 1;
  step_ = now_step;
}

void Ramp::refund(conf::Instant charged_at) {
  if (charged_at >= began_ && step(charged_at) == step_ && used_ > 0) --used_;
}

void Ramp::assume_used(conf::Instant now) {
  step_ = step(now);
  used_ = allowance(now);
}

void Ramp::save(SavedWriter* out) const {
  out->instant(began_);
  out->number(first_);
  out->number(step_);
  out->number(used_);
}

bool Ramp::restore(SavedReader* in) {
  began_ = in->recent_past();
  first_ = std::max(in->number32(kMostFirst), 1U);
  step_ = in->number32(kSteps - 1);
  used_ = in->number32();
  return in->ok();
}

}  // namespace mx
