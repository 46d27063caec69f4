#include "mx/limits/rate_limit.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "mx/limits/quota_saved.h"

namespace mx {

void RateLimit::set(const conf::RuleRate& rate) {
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
  burst_ = static_cast<uint32_t>(std::min<uint64_t>(rate.burst, kMost));
  per_ = rate.per;
  const uint32_t before = std::exchange(events_, static_cast<uint32_t>(std::min(rate.events, kMost)));
  const conf::Instant charged = window_ == nullptr ? bucket_.charged_until() : window_->latest();
  bucket_.set(rate);
  if (rate.events == 0) {
    window_.reset();
    return;
  }
  if (rate.burst <= 1 && window_ == nullptr) return;
  if (window_ != nullptr && window_->reach() == SlidingWindow::reach(rate.per)) return;
  window_ = std::make_unique<SlidingWindow>(rate.per);
  if (before != 0 && charged != conf::Instant::min())
    window_->assume(charged, charged, std::min(before, events_));
}

void RateLimit::recount(const SlidingWindow& history) {
  if (!limited() || history.reach() < SlidingWindow::reach(per_)) return;
  if (history.latest() == conf::Instant::min() && burst_ <= 1) return;
  const Moment then{history.latest(), {}};
  window_ = std::make_unique<SlidingWindow>(per_);
  if (history.latest() != conf::Instant::min()) window_->restore(history.save(then), then);
}

void RateLimit::inherit(const RateLimit& from, const Moment& moment) {
  if (!limited() || from.window_ == nullptr) return;
  SlidingWindow theirs = *from.window_;
  if (window_ != nullptr && window_->count(moment.now) >= theirs.count(moment.now)) return;
  window_ = std::make_unique<SlidingWindow>(per_);
  window_->restore(theirs.save(moment), moment);
}

uint32_t RateLimit::available(conf::Instant now) {
  const uint32_t paced = bucket_.available(now);
  if (window_ == nullptr) return paced;
  return std::min(paced, events_ - std::min(window_->count(now), events_));
}

void RateLimit::assume_used(conf::Instant begin, conf::Instant end, uint32_t at_least) {
  const uint32_t paced = bucket_.most_in(end - begin);
  // The bucket alone would not remember more than it lets go itself.
  if (window_ == nullptr && limited() && at_least > paced) window_ = std::make_unique<SlidingWindow>(per_);
  if (window_ != nullptr) {
    const uint32_t room = events_ - std::min(window_->count(end), events_);
    window_->assume(begin, end, std::max(std::min(room, paced), std::min(at_least, events_)));
  }
  bucket_.assume_used(end);
}

conf::Instant RateLimit::worth_until(conf::Instant now) {
  if (window_ == nullptr || window_->count(now) == 0) return std::max(now, bucket_.full_at());
  return std::max(bucket_.full_at(), window_->latest() + window_->reach());
}

void RateLimit::save(SavedWriter* out, const Moment& moment) const {
  out->wall(bucket_.save(moment));
  out->number(window_ == nullptr ? 0 : 1);
  if (window_ != nullptr) save_runs(window_->save(moment), out);
}

RateLimit::State RateLimit::read(SavedReader* in) {
  State state;
  state.full_at = in->wall();
  state.counted = in->number(1) == 1;
  if (state.counted) state.runs = read_runs(in);
  return state;
}

void RateLimit::restore(const State& state, const Moment& moment) {
  bucket_.restore(state.full_at, moment);
  if (window_ == nullptr && limited() && !state.runs.empty()) window_ = std::make_unique<SlidingWindow>(per_);
  if (window_ == nullptr) return;
  if (state.counted) {
    window_->restore(state.runs, moment);
  } else if (bucket_.charged_until() != conf::Instant::min()) {
    const conf::Instant charged = std::min(bucket_.charged_until(), moment.now);
    window_->assume(charged, charged, events_);  // the rule had no burst then
  }
}

}  // namespace mx
