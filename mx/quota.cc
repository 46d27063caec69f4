#include "mx/quota.h"

#include <algorithm>
#include <limits>

#include "conf/vocab/check.h"

namespace mx {

namespace {

constexpr size_t kFewRuns = 4;  // of a new ring
constexpr conf::Duration kMillisecond = std::chrono::milliseconds(1);

int64_t ceil_ms(conf::Instant at) {
  const int64_t us = at.time_since_epoch().count();
  return us / 1000 + (us % 1000 > 0 ? 1 : 0);
}

}  // namespace

uint32_t Quota::stamp(conf::Instant at) { return static_cast<uint32_t>(ceil_ms(at)); }

Quota::Quota(uint32_t limit, bool smooth, conf::Duration window) : window_(window) {
  CHECK(window >= kMillisecond * 1000 && window <= kLongestWindow && window.count() % kSlices == 0);
  set(limit, smooth);
}

void Quota::set(uint32_t limit, bool smooth) {
  limit_ = limit;
  smooth_ = smooth;
}

// The instant when a run whose last message has this stamp no longer counts.
conf::Instant Quota::free_after(uint32_t last, conf::Instant now) const {
  const int64_t now_ms = ceil_ms(now);
  const int32_t before = static_cast<int32_t>(static_cast<uint32_t>(now_ms) - last);
  return conf::Instant((now_ms - before) * kMillisecond) + window_;
}

void Quota::drop_oldest() {
  live_ -= run(0).count;
  first_ = static_cast<uint8_t>((first_ + 1) % kRuns);
  --runs_;
}

void Quota::grow() {
  std::vector<Place> larger(ring_.empty() ? kFewRuns : ring_.size() * 2);
  for (uint32_t i = 0; i < runs_; ++i) larger[i] = run(i);
  ring_ = std::move(larger);
  first_ = 0;
}

// Makes room: the two oldest become one that ends with the later of them.
void Quota::merge_oldest() {
  run(1).count += run(0).count;
  first_ = static_cast<uint8_t>((first_ + 1) % kRuns);
  --runs_;
}

void Quota::age(conf::Instant now) {
  if (runs_ == 0) return;
  if (now - latest_ >= window_ + kMillisecond) {
    runs_ = 0;
    live_ = 0;
    return;
  }
  while (runs_ > 0 && free_after(run(0).last, now) <= now) drop_oldest();
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

// The first instant from `at` on when the slices (or the distance of the smooth mode) let a message go.
conf::Instant Quota::slice_free(conf::Instant at) const {
  if (latest_ == conf::Instant::min()) return at;
  if (smooth_) {
    const int64_t distance = (window_.count() + limit_ - 1) / limit_;
    return std::max(at, latest_ + conf::Duration(distance));
  }
  const conf::Instant begin = slice_begin(at);
  if (begin > slice_ || in_slice_ < slice_share(begin)) return at;
  return begin + slice_length();
}

// The first instant from `now` on when the sliding window has room.
conf::Instant Quota::window_free(conf::Instant now) const {
  uint32_t left = live_;
  for (uint32_t i = 0; i < runs_ && left >= limit_; ++i) {
    left -= run(i).count;
    if (left < limit_) return std::max(now, free_after(run(i).last, now));
  }
  return now;
}

conf::Instant Quota::not_before(conf::Instant now) {
  if (limit_ == 0) return now;
  now = std::max(now, latest_);
  age(now);
  if (live_ == 0 && !smooth_) return now;  // a window of silence: slices begin anew
  return slice_free(window_free(now));
}

uint32_t Quota::available(conf::Instant now) {
  if (limit_ == 0) return std::numeric_limits<uint32_t>::max();
  now = std::max(now, latest_);
  if (not_before(now) > now) return 0;
  if (smooth_) return 1;
  const conf::Instant begin = slice_begin(now);
  const bool fresh = live_ == 0 || begin > slice_;
  const uint32_t share = live_ == 0 ? Quota::share(limit_, 0) : slice_share(begin);
  const uint32_t left = std::max(share, 1U) - std::min(fresh ? 0 : in_slice_, std::max(share, 1U));
  return std::max(1U, std::min(limit_ - std::min(live_, limit_), left));
}

// With no limit a run takes the mail of a sixtieth of the window, so that a limit set later finds a history
// to go by.
bool Quota::newest_is_full(conf::Instant now) const {
  if (limit_ == 0) return stamp(now) - newest_began_ >= window_ / kMillisecond / 60;
  return run(runs_ - 1U).count >= (limit_ + kRunsOfAQuota - 1) / kRunsOfAQuota;
}

void Quota::charge(conf::Instant now) {
  now = std::max(now, latest_);
  age(now);
  if (live_ == 0) {
    anchor_ = now;
    slice_ = conf::Instant::min();
  }
  const conf::Instant begin = slice_begin(now);
  const bool same_slice = begin == slice_;
  in_slice_ = same_slice ? in_slice_ + 1 : 1;
  slice_ = begin;
  latest_ = now;
  ++live_;
  if (runs_ > 0 && same_slice && !newest_is_full(now)) {
    ++run(runs_ - 1U).count;
    run(runs_ - 1U).last = stamp(now);
    return;
  }
  push_run(1, now);
}

void Quota::push_run(uint32_t count, conf::Instant at) {
  if (runs_ == kRuns) {
    merge_oldest();
  } else if (runs_ == ring_.size()) {
    grow();
  }
  newest_began_ = stamp(at);
  run(runs_) = {count, newest_began_};
  ++runs_;
}

void Quota::refund(conf::Instant at) {
  if (runs_ == 0 || at > latest_ || at + window_ <= latest_) return;
  const uint32_t wanted = stamp(at);
  for (uint32_t i = 0; i < runs_; ++i) {
    if (run(i).count == 0 || !at_or_before(wanted, run(i).last)) continue;
    --run(i).count;
    --live_;
    if (slice_ != conf::Instant::min() && at >= slice_ && in_slice_ > 0) --in_slice_;
    return;
  }
}

// No more than this many can have been charged from `begin` to `end`, going by slices or by the distance. The
// shares are taken as the largest: the slices may have begun anew meanwhile.
uint32_t Quota::most_between(conf::Instant begin, conf::Instant end) const {
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  if (smooth_) {
    const int64_t distance = (window_.count() + limit_ - 1) / limit_;
    return static_cast<uint32_t>(std::min((end - begin).count() / distance + 1, kMost));
  }
  const conf::Instant slice = slice_begin(begin);
  const int64_t share_of_one = std::max(share(limit_, 0), 1U);
  const int64_t slices = (slice_begin(end) - slice) / slice_length() + 1;
  const int64_t gone = slice == slice_ ? std::min<int64_t>(in_slice_, share_of_one) : 0;
  return static_cast<uint32_t>(std::min(slices * share_of_one - gone, kMost));
}

void Quota::assume_used(conf::Instant begin, conf::Instant end, uint32_t at_most) {
  end = std::max(end, latest_);
  if (limit_ == 0 || begin > end) return;
  begin = std::max(begin, end - window_);
  age(end);
  if (live_ == 0) {
    anchor_ = begin;
    slice_ = conf::Instant::min();
  }
  const uint32_t room = limit_ - std::min(live_, limit_);
  const uint32_t assumed = std::min({room, at_most, most_between(begin, end)});
  uint32_t moved = 0;
  while (runs_ > 0) {
    const Place& newest = run(runs_ - 1U);
    if (free_after(newest.last, end) - window_ + kInFlight < begin) break;
    moved += newest.count;
    --runs_;
  }
  if (moved + assumed == 0) return;
  in_slice_ = assumed + (slice_begin(end) == slice_ ? in_slice_ : 0);
  slice_ = slice_begin(end);
  latest_ = end;
  live_ += assumed;
  push_run(moved + assumed, end);
}

uint32_t Quota::used(conf::Instant now) {
  age(std::max(now, latest_));
  return live_;
}

uint32_t Quota::used_in_slice(conf::Instant now) const {
  return slice_ != conf::Instant::min() && slice_begin(now) == slice_ ? in_slice_ : 0;
}

uint32_t Quota::slice_limit(conf::Instant now) const {
  return limit_ == 0 || smooth_ ? 0 : slice_share(slice_begin(now));
}

Quota::State Quota::save(const Moment& moment) const {
  State state;
  if (runs_ == 0 || moment.now - latest_ > window_) return state;
  for (uint32_t i = 0; i < runs_; ++i) {
    const conf::Instant last = free_after(run(i).last, moment.now) - window_;
    if (moment.now - last > window_) continue;
    state.runs.push_back({run(i).count, moment.to_wall(last)});
  }
  state.anchor = moment.to_wall(anchor_);
  state.slice = moment.to_wall(slice_);
  state.in_slice = in_slice_;
  return state;
}

void Quota::restore(const State& state, const Moment& moment) {
  first_ = runs_ = 0;
  live_ = 0;
  latest_ = conf::Instant::min();
  newest_began_ = 0;
  for (const Run& saved : state.runs) {
    const conf::Instant last = moment.to_past(saved.last);
    if (moment.now - last > window_) continue;
    latest_ = std::max(latest_, last);  // in order, whatever the file says
    push_run(saved.count, latest_);
    live_ += saved.count;
  }
  anchor_ = moment.to_past(state.anchor);
  slice_ = moment.to_past(state.slice);
  if (anchor_ == conf::Instant::min()) anchor_ = moment.now;
  if (slice_ != conf::Instant::min()) slice_ = slice_begin(slice_);
  in_slice_ = state.in_slice;
}

}  // namespace mx
