#include "mx/limits/quota.h"

#include <algorithm>
#include <limits>

#include "conf/vocab/check.h"

namespace mx {

Quota::Quota(uint32_t limit, bool smooth, conf::Duration window) : window_(window), sent_(window) {
  CHECK(window >= std::chrono::seconds(1) && window.count() % kSlices == 0);
  set(limit, smooth);
}

void Quota::set(uint32_t limit, bool smooth) {
  limit_ = limit;
  smooth_ = smooth;
}

conf::Instant Quota::slice_begin(conf::Instant at) const {
  const int64_t since = (at - anchor_).count();
  const int64_t length = slice_length().count();
  const int64_t index = since >= 0 ? since / length : (since - length + 1) / length;
  return anchor_ + conf::Duration(index * length);
}

// A quota below twelve lets one message into any slice; the sliding window keeps the total.
uint32_t Quota::slice_share(conf::Instant begin) const {
  const int64_t index = ((begin - anchor_) / slice_length()) % kSlices;
  return std::max(share(limit_, static_cast<uint32_t>(index < 0 ? index + kSlices : index)), 1U);
}

// Of the smooth mode.
conf::Duration Quota::distance() const {
  return conf::Duration((sent_.reach().count() + limit_ - 1) / limit_);
}

// The first instant from `at` on when the slices (or the distance of the smooth mode) let a message go.
conf::Instant Quota::slice_free(conf::Instant at) const {
  if (sent_.latest() == conf::Instant::min()) return at;
  if (smooth_) return std::max(at, sent_.latest() + distance());
  const conf::Instant begin = slice_begin(at);
  if (begin > slice_ || in_slice_ < slice_share(begin)) return at;
  return begin + slice_length();
}

conf::Instant Quota::not_before(conf::Instant now) {
  if (limit_ == 0) return now;
  now = std::max(now, sent_.latest());
  if (sent_.count(now) == 0 && !smooth_) return now;  // a window of silence: slices begin anew
  return slice_free(sent_.free_at(limit_, now));
}

uint32_t Quota::available(conf::Instant now) {
  if (limit_ == 0) return std::numeric_limits<uint32_t>::max();
  now = std::max(now, sent_.latest());
  if (not_before(now) > now) return 0;
  if (smooth_) return 1;
  const uint32_t sent = sent_.count(now);
  const conf::Instant begin = slice_begin(now);
  const bool fresh = sent == 0 || begin > slice_;
  const uint32_t share = sent == 0 ? Quota::share(limit_, 0) : slice_share(begin);
  const uint32_t left = std::max(share, 1U) - std::min(fresh ? 0 : in_slice_, std::max(share, 1U));
  return std::max(1U, std::min(limit_ - std::min(sent, limit_), left));
}

void Quota::charge(conf::Instant now) {
  now = std::max(now, sent_.latest());
  if (sent_.silent(now)) {
    anchor_ = now;
    slice_ = conf::Instant::min();
    own_ = {};
  }
  const bool same_slice = now >= slice_ && now < slice_ + slice_length();
  const conf::Instant begin = same_slice ? slice_ : slice_begin(now);
  in_slice_ = same_slice ? in_slice_ + 1 : 1;
  slice_ = begin;
  sent_.add(now, limit_, !same_slice);
  if (own_.window == nullptr) return;
  own_.window->add(now, limit_);
  if (!same_slice && own_.window->count(now) >= sent_.count(now)) own_ = {};
}

void Quota::refund(conf::Instant at) {
  if (!sent_.remove(at)) return;
  if (own_.window != nullptr) own_.window->remove(at);
  if (slice_ != conf::Instant::min() && at >= slice_ && in_slice_ > 0) --in_slice_;
}

// The shares are taken as the largest: the slices may have begun anew meanwhile.
uint32_t Quota::most_between(conf::Instant begin, conf::Instant end) const {
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  if (limit_ == 0) return static_cast<uint32_t>(kMost);
  if (smooth_) return static_cast<uint32_t>(std::min((end - begin) / distance() + 1, kMost));
  const conf::Instant slice = slice_begin(begin);
  const int64_t share_of_one = std::max(share(limit_, 0), 1U);
  const int64_t slices = (slice_begin(end) - slice) / slice_length() + 1;
  const int64_t gone = slice == slice_ ? std::min<int64_t>(in_slice_, share_of_one) : 0;
  return static_cast<uint32_t>(std::min(slices * share_of_one - gone, kMost));
}

void Quota::assume_used(conf::Instant begin, conf::Instant end, uint32_t at_most, uint32_t at_least) {
  end = std::max(end, sent_.latest());
  if (limit_ == 0 || begin > end) return;
  begin = std::max(begin, end - sent_.reach());
  const uint32_t sent = sent_.count(end);
  if (sent == 0) {
    anchor_ = begin;
    slice_ = conf::Instant::min();
  }
  const uint32_t room = limit_ - std::min(sent, limit_);
  const uint32_t assumed =
      std::max(std::min({room, at_most, most_between(begin, end)}), std::min(at_least, limit_));
  sent_.assume(begin, end, assumed);
  if (own_.window != nullptr) own_.window->assume(begin, end, assumed);
  in_slice_ = assumed + (slice_begin(end) == slice_ ? in_slice_ : 0);
  slice_ = slice_begin(end);
}

uint32_t Quota::used(conf::Instant now) { return sent_.count(now); }

uint32_t Quota::used_in_slice(conf::Instant now) const {
  return slice_ != conf::Instant::min() && slice_begin(now) == slice_ ? in_slice_ : 0;
}

uint32_t Quota::slice_limit(conf::Instant now) const {
  return limit_ == 0 || smooth_ ? 0 : slice_share(slice_begin(now));
}

std::vector<SlidingWindow::Run> Quota::own(conf::WallTime since, const Moment& moment) const {
  std::vector<SlidingWindow::Run> runs = (own_.window == nullptr ? sent_ : *own_.window).save(moment);
  std::erase_if(runs, [since](const SlidingWindow::Run& run) { return run.last <= since; });
  return runs;
}

void Quota::cut() {
  sent_.cut();
  if (own_.window != nullptr) own_.window->cut();
}

conf::Instant Quota::inherit(const Quota& from, conf::WallTime since, const Moment& moment) {
  const std::vector<SlidingWindow::Run> runs = from.own(since, moment);
  if (runs.empty()) return conf::kNever;
  if (own_.window == nullptr) own_.window = std::make_unique<SlidingWindow>(sent_);
  if (sent_.silent(moment.now)) anchor_ = from.anchor_;
  const conf::Instant slice = slice_begin(moment.now);
  if (slice_ != slice) in_slice_ = 0;
  slice_ = slice;
  for (const SlidingWindow::Run& run : runs) in_slice_ += moment.to_past(run.last) >= slice ? run.count : 0;
  sent_.join(runs, moment);
  return moment.to_past(runs.back().last);
}

Quota::State Quota::save(const Moment& moment) const {
  State state;
  state.runs = sent_.save(moment);
  if (state.runs.empty()) return state;
  state.anchor = moment.to_wall(anchor_);
  state.slice = moment.to_wall(slice_);
  state.in_slice = in_slice_;
  state.inherited = own_.window != nullptr;
  if (state.inherited) state.own = own_.window->save(moment);
  return state;
}

void Quota::restore(const State& state, const Moment& moment) {
  sent_.restore(state.runs, moment);
  anchor_ = moment.to_past(state.anchor);
  slice_ = moment.to_past(state.slice);
  if (anchor_ == conf::Instant::min()) anchor_ = moment.now;
  if (slice_ != conf::Instant::min()) slice_ = slice_begin(slice_);
  in_slice_ = state.in_slice;
  own_ = {};
  if (!state.inherited) return;
  own_.window = std::make_unique<SlidingWindow>(window_);
  own_.window->restore(state.own, moment);
}

}  // namespace mx
