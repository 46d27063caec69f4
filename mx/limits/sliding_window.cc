#include "mx/limits/sliding_window.h"

#include <limits>

#include "conf/vocab/check.h"

namespace mx {

namespace {

constexpr uint32_t kFewRuns = 4;  // of a new ring
constexpr uint32_t kMost16 = std::numeric_limits<uint16_t>::max();
constexpr conf::Duration kMillisecond = SlidingWindow::kPrecision;

int64_t ceil_ms(conf::Instant at) {
  const int64_t us = at.time_since_epoch().count();
  return us / 1000 + (us % 1000 > 0 ? 1 : 0);
}

}  // namespace

uint32_t SlidingWindow::stamp(conf::Instant at) { return static_cast<uint32_t>(ceil_ms(at)); }

SlidingWindow::SlidingWindow(conf::Duration window) : reach_(reach(window)) {
  CHECK(window.count() > 0 && window <= kLongest);
}

SlidingWindow::SlidingWindow(const SlidingWindow& other)
    : reach_(other.reach_),
      latest_(other.latest_),
      live_(other.live_),
      newest_began_(other.newest_began_),
      first_(other.first_),
      runs_(other.runs_),
      capacity_(other.capacity_),
      units_(other.units_) {
  if (other.ring_ == nullptr) return;
  const size_t size = size_t{capacity_} * units_;
  ring_ = std::make_unique<uint16_t[]>(size);
  std::copy_n(other.ring_.get(), size, ring_.get());
}

uint32_t SlidingWindow::last_of(uint32_t index) const {
  const uint16_t* at = run(index);
  return at[0] | uint32_t{at[1]} << 16;
}

uint32_t SlidingWindow::count_of(uint32_t index) const {
  const uint16_t* at = run(index);
  return at[2] | (units_ == kWide ? uint32_t{at[3]} << 16 : 0);
}

void SlidingWindow::set_last(uint32_t index, uint32_t last) {
  uint16_t* at = run(index);
  at[0] = static_cast<uint16_t>(last);
  at[1] = static_cast<uint16_t>(last >> 16);
}

void SlidingWindow::set_count(uint32_t index, uint32_t count) {
  if (count > kMost16 && units_ == kNarrow) resize(capacity_, kWide);
  uint16_t* at = run(index);
  at[2] = static_cast<uint16_t>(count);
  if (units_ == kWide) at[3] = static_cast<uint16_t>(count >> 16);
}

void SlidingWindow::resize(uint32_t capacity, uint32_t units) {
  auto larger = std::make_unique<uint16_t[]>(size_t{capacity} * units);
  for (uint32_t i = 0; i < runs_; ++i) std::copy_n(run(i), units_, &larger[size_t{i} * units]);
  ring_ = std::move(larger);
  first_ = 0;
  capacity_ = static_cast<uint8_t>(capacity);
  units_ = static_cast<uint8_t>(units);
}

// The instant when a run whose last message has this stamp no longer counts.
conf::Instant SlidingWindow::free_after(uint32_t last, conf::Instant now) const {
  const int64_t now_ms = ceil_ms(now);
  const int32_t before = static_cast<int32_t>(static_cast<uint32_t>(now_ms) - last);
  return conf::Instant((now_ms - before) * kMillisecond) + reach_;
}

void SlidingWindow::drop_oldest() {
  live_ -= count_of(0);
  first_ = static_cast<uint8_t>((first_ + 1) % kRuns);
  --runs_;
}

// Makes room: the two oldest become one that ends with the later of them.
void SlidingWindow::merge_oldest() {
  set_count(1, count_of(1) + count_of(0));
  first_ = static_cast<uint8_t>((first_ + 1) % kRuns);
  --runs_;
}

void SlidingWindow::age(conf::Instant now) {
  if (runs_ == 0) return;
  if (silent(now)) {
    runs_ = 0;
    live_ = 0;
    return;
  }
  while (runs_ > 0 && free_after(last_of(0), now) <= now) drop_oldest();
}

uint32_t SlidingWindow::count(conf::Instant now) {
  age(std::max(now, latest_));
  return live_;
}

conf::Instant SlidingWindow::free_at(uint32_t limit, conf::Instant now) {
  now = std::max(now, latest_);
  age(now);
  uint32_t left = live_;
  for (uint32_t i = 0; i < runs_ && left >= limit; ++i) {
    left -= count_of(i);
    if (left < limit) return std::max(now, free_after(last_of(i), now));
  }
  return now;
}

// With no limit a run takes the mail of a sixtieth of the window, so that a limit set later finds a history
// to go by. No run is longer than the window, see stamp().
bool SlidingWindow::newest_is_full(conf::Instant now, uint32_t limit) const {
  const conf::Duration longest = limit == 0 ? reach_ / 60 : reach_;
  if (stamp(now) - newest_began_ >= longest / kMillisecond) return true;
  if (limit == 0) return false;
  return count_of(runs_ - 1U) >= limit / kRunsOfALimit + (limit % kRunsOfALimit != 0 ? 1 : 0);
}

// Drops what no longer counts only when a run begins: most messages touch no run but the newest.
void SlidingWindow::add(conf::Instant now, uint32_t limit, bool apart) {
  now = std::max(now, latest_);
  if (runs_ > 0 && !apart && !silent(now) && !newest_is_full(now, limit)) {
    set_count(runs_ - 1U, count_of(runs_ - 1U) + 1);
    set_last(runs_ - 1U, stamp(now));
  } else {
    age(now);
    push(1, now);
  }
  latest_ = now;
  ++live_;
}

void SlidingWindow::push(uint32_t count, conf::Instant at) {
  if (runs_ == kRuns) {
    merge_oldest();
  } else if (runs_ == capacity_) {
    resize(capacity_ == 0 ? kFewRuns : capacity_ * 2U, units_);
  }
  newest_began_ = stamp(at);
  ++runs_;
  set_last(runs_ - 1U, newest_began_);
  set_count(runs_ - 1U, count);
}

bool SlidingWindow::remove(conf::Instant at) {
  if (runs_ == 0 || at > latest_ || at + reach_ <= latest_) return false;
  const uint32_t wanted = stamp(at);
  for (uint32_t i = 0; i < runs_; ++i) {
    const uint32_t count = count_of(i);
    if (count == 0 || !at_or_before(wanted, last_of(i))) continue;
    set_count(i, count - 1);
    --live_;
    return true;
  }
  return false;
}

void SlidingWindow::assume(conf::Instant begin, conf::Instant end, uint32_t count) {
  end = std::max(end, latest_);
  age(end);
  uint32_t moved = 0;
  while (runs_ > 0) {
    if (free_after(last_of(runs_ - 1U), end) - reach_ + kInFlight < begin) break;
    moved += count_of(runs_ - 1U);
    --runs_;
  }
  if (moved + count == 0) return;
  latest_ = end;
  live_ += count;
  push(moved + count, end);
}

std::vector<SlidingWindow::Run> SlidingWindow::save(const Moment& moment) const {
  std::vector<Run> runs;
  if (runs_ == 0 || moment.now - latest_ > reach_) return runs;
  for (uint32_t i = 0; i < runs_; ++i) {
    const conf::Instant last = free_after(last_of(i), moment.now) - reach_;
    if (moment.now - last > reach_) continue;
    runs.push_back({count_of(i), moment.to_wall(last)});
  }
  return runs;
}

void SlidingWindow::restore(const std::vector<Run>& runs, const Moment& moment) {
  first_ = runs_ = 0;
  live_ = 0;
  latest_ = conf::Instant::min();
  newest_began_ = 0;
  for (const Run& saved : runs) {
    const conf::Instant last = moment.to_past(saved.last);
    if (moment.now - last > reach_) continue;
    latest_ = std::max(latest_, last);  // in order, whatever the file says
    push(saved.count, latest_);
    live_ += saved.count;
  }
}

void SlidingWindow::join(std::vector<Run> runs, const Moment& moment) {
  constexpr size_t kMostJoined = kRuns * 3 / 4;
  const std::vector<Run> own = save(moment);
  runs.insert(runs.end(), own.begin(), own.end());
  std::ranges::sort(runs, {}, &Run::last);
  const size_t each = (runs.size() + kMostJoined - 1) / kMostJoined;  // that become one, with its latest time
  std::vector<Run> joined;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (i % each == 0) joined.emplace_back();
    Run& run = joined.back();
    run.count += std::min(runs[i].count, std::numeric_limits<uint32_t>::max() - run.count);
    run.last = runs[i].last;
  }
  restore(joined, moment);
}

}  // namespace mx
