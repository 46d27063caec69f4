#include "mx/limits/warmup.h"

#include <algorithm>
#include <limits>

#include "conf/vocab/check.h"
#include "mx/limits/quota_saved.h"

namespace mx {

namespace {

constexpr uint64_t kUsedPercent = 80;  // of a step, before it may rise
constexpr uint64_t kFallFactor = 4;    // x the share that holds: one step back

}  // namespace

WarmUp::WarmUp(const PathLimits& limits) : quota_(0, false, kDay) { set(limits); }

void WarmUp::set(const PathLimits& limits) {
  CHECK(!limits.warmup.empty());
  steps_ = limits.warmup;
  hold_ppm_ = limits.warmup_hold_ppm;
  step_ = std::min(step_, static_cast<uint32_t>(steps_.size()) - 1);
  quota_.set(per_day(), false);
}

bool WarmUp::deferred_above(uint64_t hold_times) const {
  return deferred_ * 1'000'000 > hold_times * hold_ppm_ * replies_;
}

WarmUp::Judgement WarmUp::judge() const {
  if (deferred_above(kFallFactor)) return Judgement::kFall;
  if (deferred_above(1)) return Judgement::kHold;
  return uint64_t{sent_} * 100 >= kUsedPercent * per_day() ? Judgement::kRise : Judgement::kHold;
}

void WarmUp::move(Judgement judgement) {
  if (judgement == Judgement::kFall && step_ > 0) --step_;
  if (judgement == Judgement::kRise) {
    finished_ = step_ + 1 == steps_.size();
    if (!finished_) ++step_;
  }
}

bool WarmUp::tick(conf::Instant now, Decision* decision) {
  if (!running_ || now - day_ < kDay) return false;
  const uint32_t before = per_day();
  const uint32_t step_before = step_;
  move(judge());
  decision->action = Decision::Action::kWarmUp;
  decision->by = "warm-up";
  decision->messages = replies_;
  decision->errors = deferred_;
  decision->rate_per_day = per_day();
  decision->text = "a day at step " + std::to_string(step_before + 1) + ": " + std::to_string(sent_) +
                   " of " + std::to_string(before) + " messages sent, " + share_text(deferred_, replies_) +
                   " deferred; ";
  if (finished_) {
    decision->text += "the ladder is over, only the limits of the rule hold";
  } else {
    decision->text += (step_ > step_before   ? "risen to "
                       : step_ < step_before ? "back to "
                                             : "held at ") +
                      std::to_string(per_day()) + " a day (step " + std::to_string(step_ + 1) + " of " +
                      std::to_string(steps_.size()) + ")";
  }
  running_ = false;  // the next one begins with its first message
  sent_ = 0;
  replies_ = deferred_ = 0;
  quota_.set(per_day(), false);
  return true;
}

Admission WarmUp::may_send(conf::Instant now) {
  if (finished_) return {};
  const conf::Instant free = quota_.not_before(now);
  if (free <= now) return {};
  const conf::Instant end = day_ + kDay;
  if (!running_ || free < end) return Admission::no(Bind::kWarmUp, free);
  // The step may change before that.
  WarmUp next = *this;
  next.move(judge());
  next.quota_.set(next.per_day(), false);
  return Admission::no(Bind::kWarmUp, next.finished_ ? end : next.quota_.not_before(end));
}

void WarmUp::charge(conf::Instant now) {
  if (finished_) return;
  if (!running_) {
    running_ = true;
    day_ = now;
  }
  ++sent_;
  quota_.charge(now);
}

void WarmUp::refund(conf::Instant charged_at) {
  if (finished_) return;
  if (running_ && charged_at >= day_ && sent_ > 0) --sent_;
  quota_.refund(charged_at);
}

void WarmUp::count(const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::kIgnored || !running_) return;
  ++replies_;
  if (outcome.throttling || (outcome.kind == Outcome::Kind::kSoft && outcome.sender_scope)) ++deferred_;
}

void WarmUp::reset() {
  step_ = sent_ = 0;
  replies_ = deferred_ = 0;
  finished_ = running_ = false;
  quota_.set(per_day(), false);
}

void WarmUp::assume_used(conf::Instant begin, conf::Instant end) {
  quota_.assume_used(begin, end, std::numeric_limits<uint32_t>::max());
}

void WarmUp::inherit_charges(const WarmUp& from, conf::WallTime since, const Moment& moment) {
  quota_.inherit(from.quota_, since, moment);
}

void WarmUp::inherit(const WarmUp& from, conf::WallTime since, const Moment& moment) {
  const bool begins = idle(moment.now);
  if (begins || (!from.finished_ && (finished_ || from.step_ < step_))) {
    step_ = from.step_;
    finished_ = from.finished_;
  }
  // The day that judges the step is the one that has more to say.
  if (begins || (from.running_ && from.replies_ > replies_)) {
    running_ = from.running_;
    day_ = from.day_;
    sent_ = from.sent_;
    replies_ = from.replies_;
    deferred_ = from.deferred_;
  }
  inherit_charges(from, since, moment);
  quota_.set(per_day(), false);
}

bool WarmUp::idle(conf::Instant now) {
  return step_ == 0 && !finished_ && !running_ && quota_.used(now) == 0;
}

void WarmUp::save(SavedWriter* out, const Moment& moment) const {
  out->number(step_);
  out->number(finished_ ? 1 : 0);
  out->number(running_ ? 1 : 0);
  out->instant(day_);
  out->number(sent_);
  out->number(replies_);
  out->number(deferred_);
  save_quota(quota_, out, moment);
}

bool WarmUp::restore(SavedReader* in) {
  constexpr uint64_t kMostReplies = 1'000'000'000'000;  // of a day; products with parts of a million fit
  const uint32_t step = in->number32();
  step_ = std::min(step, static_cast<uint32_t>(steps_.size()) - 1);
  finished_ = in->number32(1) == 1;
  running_ = in->number32(1) == 1;
  day_ = in->recent_past();
  sent_ = in->number32();
  replies_ = in->number(kMostReplies);
  deferred_ = in->number(replies_);
  restore_quota(in, &quota_);
  quota_.set(per_day(), false);
  return in->ok();
}

}  // namespace mx
