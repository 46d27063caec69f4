#include "mx/limits/adaptive_rate.h"

#include <algorithm>
#include <limits>

#include "mx/limits/quota_saved.h"

namespace mx {

namespace {

// Shares in percent.
constexpr uint64_t kFallFrom = 5;      // throttled, of the replies
constexpr uint64_t kRiseBelow = 1;     // throttled, of the replies
constexpr uint64_t kRiseUsed = 80;     // of the allowance
constexpr uint64_t kAfterFall = 80;    // of the ceiling
constexpr uint64_t kNearCeiling = 95;  // of the ceiling
constexpr uint32_t kDeepestFall = 4;   // a ceiling is at least a quarter of the rate
constexpr uint32_t kRisePart = 10;     // a tenth
constexpr uint32_t kCarefulPart = 50;  // a fiftieth

constexpr conf::Duration kForgotten = std::chrono::hours(24 * 7);

}  // namespace

AdaptiveRate::AdaptiveRate(const PathLimits& limits) { set(limits); }

void AdaptiveRate::set(const PathLimits& limits) {
  binds_ = limits.adaptive == conf::AdaptiveMode::kOn;
  smooth_ = limits.smooth;
  most_ = std::max(limits.adaptive_max_per_hour, 1U);
  if (limits.messages_per_hour != 0) most_ = std::min(most_, limits.messages_per_hour);
  least_ = std::clamp(limits.adaptive_min_per_hour, 1U, most_);
  rate_ = learned_ ? bounded(rate_) : most_;
  quota_.set(rate_, smooth_);
}

uint32_t AdaptiveRate::bounded(uint64_t per_hour) const {
  return static_cast<uint32_t>(std::clamp<uint64_t>(per_hour, least_, most_));
}

AdaptiveRate::Judgement AdaptiveRate::judge() const {
  if (replies_ >= kLeastReplies && uint64_t{throttled_} * 100 >= kFallFrom * replies_)
    return Judgement::kFall;
  const bool calm = uint64_t{throttled_} * 100 < kRiseBelow * replies_;
  const uint64_t used_hundredths = uint64_t{attempts_} * 100 * kPeriodsOfAnHour;
  return calm && used_hundredths >= kRiseUsed * rate_ ? Judgement::kRise : Judgement::kStay;
}

// The hourly rate at which messages were taken in the period; replies are per recipient, the rate is of
// messages.
uint64_t AdaptiveRate::taken_per_hour() const {
  return uint64_t{attempts_} * kPeriodsOfAnHour * accepted_ / std::max(replies_, 1U);
}

uint32_t AdaptiveRate::ceiling_seen() const {
  return bounded(std::max<uint64_t>(taken_per_hour(), rate_ / kDeepestFall));
}

uint32_t AdaptiveRate::fallen() const { return bounded(ceiling_seen() * kAfterFall / 100); }

uint32_t AdaptiveRate::risen(conf::Instant at) const {
  uint64_t target = uint64_t{rate_} + std::max(rate_ / kRisePart, 1U);
  if (!binds_) target = std::max(target, taken_per_hour());
  for (const Ceiling& ceiling : ceilings_) {
    const uint64_t near = ceiling.per_hour * kNearCeiling / 100;
    if (at - ceiling.at >= kCeilingForgotten || target <= near) continue;
    const bool holds = at - ceiling.at < kCeilingHolds;
    const uint64_t most = holds ? near : uint64_t{rate_} + std::max(rate_ / kCarefulPart, 1U);
    target = std::min(target, std::max<uint64_t>(most, holds ? rate_ : near));
  }
  return bounded(target);
}

// A newer ceiling that is lower makes the older ones meaningless. When there are too many, the newest two
// become one, the more cautious of both.
void AdaptiveRate::note_ceiling(conf::Instant at) {
  std::erase_if(ceilings_, [&](const Ceiling& old) {
    return old.per_hour >= ceiling_seen() || at - old.at >= kCeilingForgotten;
  });
  if (ceilings_.size() == kCeilings) {
    ceilings_.back().at = at;
  } else {
    ceilings_.push_back({ceiling_seen(), at});
  }
}

bool AdaptiveRate::tick(conf::Instant now, Decision* decision) {
  if (!running_ || now - period_ < kPeriod) return false;
  const conf::Instant end = period_ + kPeriod;
  const Judgement judgement = judge();
  const uint32_t before = rate_;
  if (judgement == Judgement::kFall) {
    const uint32_t rate = fallen();
    note_ceiling(end);
    rate_ = rate;
  } else if (judgement == Judgement::kRise) {
    rate_ = risen(end);
  }
  decision->messages = replies_;
  decision->errors = throttled_;
  running_ = false;  // the next one begins with its first message
  attempts_ = replies_ = accepted_ = throttled_ = 0;
  if (rate_ == before) return false;
  learned_ = true;
  quota_.set(rate_, smooth_);
  decision->action = binds_ ? Decision::Action::kAdapt : Decision::Action::kAdvise;
  decision->by = "adaptive";
  decision->rate_per_hour = rate_;
  decision->text = std::to_string(decision->errors) + " of " + std::to_string(decision->messages) +
                   " replies asked us to slow down (" + share_text(decision->errors, decision->messages) +
                   "): ";
  decision->text += binds_ ? std::to_string(rate_) + " messages an hour from now on"
                           : "the rule would be \"messages_per_hour = " + std::to_string(rate_) + "\"";
  decision->text += " (before: " + std::to_string(before) + ")";
  return true;
}

Admission AdaptiveRate::may_send(conf::Instant now) {
  if (!binds_) return {};
  const conf::Instant free = quota_.not_before(now);
  if (free <= now) return {};
  const conf::Instant end = period_ + kPeriod;
  if (!running_ || free < end) return Admission::no(Bind::kAdaptive, free);
  // The rate may change before that.
  Quota next = quota_;
  const Judgement judgement = judge();
  if (judgement != Judgement::kStay) next.set(judgement == Judgement::kRise ? risen(end) : fallen(), smooth_);
  return Admission::no(Bind::kAdaptive, next.not_before(end));
}

void AdaptiveRate::charge(conf::Instant now) {
  if (!running_) {
    running_ = true;
    period_ = now;
  }
  ++attempts_;
  quota_.charge(now);
}

void AdaptiveRate::refund(conf::Instant charged_at) {
  if (running_ && charged_at >= period_ && attempts_ > 0) --attempts_;
  quota_.refund(charged_at);
}

void AdaptiveRate::count(const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::kIgnored || !running_) return;
  ++replies_;
  accepted_ += outcome.kind == Outcome::Kind::kAccepted ? 1 : 0;
  throttled_ += outcome.throttling ? 1 : 0;
}

void AdaptiveRate::assume_used(conf::Instant begin, conf::Instant end) {
  if (binds_) quota_.assume_used(begin, end, std::numeric_limits<uint32_t>::max());
}

void AdaptiveRate::inherit_charges(const AdaptiveRate& from, conf::WallTime since, const Moment& moment) {
  quota_.inherit(from.quota_, since, moment);
}

void AdaptiveRate::inherit(const AdaptiveRate& from, conf::WallTime since, const Moment& moment) {
  if (from.learned_ && (!learned_ || from.rate_ < rate_)) {
    learned_ = true;
    rate_ = bounded(from.rate_);
    ceilings_ = from.ceilings_;
    period_ = std::max(period_, from.period_);
  }
  inherit_charges(from, since, moment);
  quota_.set(rate_, smooth_);
}

void AdaptiveRate::reset() {
  learned_ = running_ = false;
  attempts_ = replies_ = accepted_ = throttled_ = 0;
  ceilings_.clear();
  rate_ = most_;
  quota_.set(rate_, smooth_);
}

bool AdaptiveRate::idle(conf::Instant now) {
  return !running_ && quota_.used(now) == 0 && (!learned_ || period_ <= now - kForgotten);
}

void AdaptiveRate::save(SavedWriter* out, const Moment& moment) const {
  out->number(rate_);
  out->number(learned_ ? 1 : 0);
  out->number(running_ ? 1 : 0);
  out->instant(period_);
  for (const uint32_t count : {attempts_, replies_, accepted_, throttled_}) out->number(count);
  out->number(ceilings_.size());
  for (const Ceiling& ceiling : ceilings_) {
    out->number(ceiling.per_hour);
    out->instant(ceiling.at);
  }
  save_quota(quota_, out, moment);
}

bool AdaptiveRate::restore(SavedReader* in) {
  rate_ = in->number32();
  learned_ = in->number32(1) == 1;
  running_ = in->number32(1) == 1;
  period_ = in->recent_past();
  for (uint32_t* count : {&attempts_, &replies_, &accepted_, &throttled_}) *count = in->number32(INT32_MAX);
  ceilings_.clear();
  for (uint32_t left = in->number32(kCeilings); left > 0 && in->ok(); --left) {
    const uint32_t per_hour = in->number32();
    ceilings_.push_back({per_hour, in->recent_past()});
  }
  restore_quota(in, &quota_);
  rate_ = learned_ ? bounded(rate_) : most_;
  quota_.set(rate_, smooth_);
  return in->ok();
}

}  // namespace mx
