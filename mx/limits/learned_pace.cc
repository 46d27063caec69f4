#include "mx/limits/learned_pace.h"

#include <algorithm>
#include <cmath>

namespace mx {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr std::array<conf::Duration, 3> kLengths = {1s, 10s, 1min};
constexpr size_t kMinute = 2;
constexpr conf::Duration kOneEvent = 1s;  // requests within it are one
constexpr conf::Duration kAgain = 10min;  // a second request so late is like a first one
constexpr conf::Duration kRemember = 1h;
constexpr conf::Duration kFirst = 4s;  // the shortest pause while the limit is not known
constexpr conf::Duration kLongest = 5min;
constexpr double kBelow = 0.98;             // of the limit that was met
constexpr double kFull = 0.9;               // of the most: as full as it ever was
constexpr double kEnough = 4;               // messages in a window say something
constexpr double kLeast = 0.05;             // messages a second
constexpr double kGrowth = 0.01;            // a minute
constexpr uint8_t kMostCuts = 10;           // without growth between: then the rate is not the cause
constexpr uint32_t kBetween = 60;           // messages between two looks for more
constexpr double kSpikes = 0.05;            // seconds of the rate that may go at once
constexpr uint64_t kRateUnits = 1'000'000;  // of a saved rate

double in_seconds(conf::Duration length) { return static_cast<double>(length.count()) / 1e6; }
conf::Duration duration(double length) {
  return conf::Duration(static_cast<int64_t>(std::min(length, 1e6) * 1e6));
}

}  // namespace

void LearnedPace::Count::roll(conf::Instant at, conf::Duration window) {
  if (begin == conf::Instant::min() || at - begin >= 2 * window) {
    *this = {at, 0, 0};
  } else if (at - begin >= window) {
    *this = {begin + window, 0, now};
  }
}

double LearnedPace::Count::in(conf::Instant at, conf::Duration window) const {
  Count rolled = *this;
  rolled.roll(at, window);
  const double over = in_seconds(at - rolled.begin) / in_seconds(window);
  return rolled.now + rolled.before * std::max(0.0, 1 - over);
}

LearnedPace& LearnedPace::operator=(const LearnedPace& other) {
  if (this == &other) return *this;
  counts_ = other.counts_;
  most_ = other.most_;
  last_taken_ = other.last_taken_;
  learned_ = other.learned_ == nullptr ? nullptr : std::make_unique<Learned>(*other.learned_);
  return *this;
}

void LearnedPace::taken(conf::Instant now) {
  last_taken_ = now;
  for (size_t i = 0; i < kWindows; ++i) {
    counts_[i].roll(now, kLengths[i]);
    ++counts_[i].now;
    most_[i] = std::max(most_[i], static_cast<uint32_t>(counts_[i].in(now, kLengths[i])));
  }
  if (learned_ == nullptr) return;
  ++learned_->taken;
  learned_->in_a_row = 0;
  if (has_rate()) grow(now);
}

// No growth while the limit is fresh; then the faster the longer nothing was refused.
void LearnedPace::grow(conf::Instant now) {
  Learned& learned = *learned_;
  const double clean = in_seconds(now - learned.at) / 60;
  const int hold = learned.confirmed ? 5 : 2;
  const double since = in_seconds(now - std::max(learned.grown, learned.at + hold * 1min)) / 60;
  if (clean < hold || since <= 0 || (learned.confirmed && learned.taken < kBetween && clean < 30)) return;
  learned.grown = now;
  // What is not used says nothing of the limit.
  const double used = counts_[kMinute].in(now, 1min) / 60;
  if (used < learned.rate / 4) {
    if (now - learned.at > kRemember) learned_.reset();
    return;
  }
  const double speed = kGrowth * std::exp2(std::min(clean / hold - 1, 6.0));
  if (used < learned.rate / 2) return;
  learned.cuts = 0;
  learned.rate *= 1 + speed * std::min(since, 1.0);
}

bool LearnedPace::asked(conf::Instant now) {
  if (learned_ != nullptr && now - learned_->at < kOneEvent) return false;
  const bool again = learned_ != nullptr && (has_rate() || now - learned_->at < kAgain);
  if (!again) learned_ = std::make_unique<Learned>();
  Learned& learned = *learned_;
  if (again) find_limit(now);
  learned.until = now + pause(now);
  learned.at = learned.grown = now;
  learned.next = std::max(learned.next, learned.until);
  learned.in_a_row = static_cast<uint8_t>(std::min<int>(learned.in_a_row + 1, 16));
  learned.taken = 0;
  return true;
}

void LearnedPace::find_limit(conf::Instant now) {
  Learned& learned = *learned_;
  const auto rate_of = [&](size_t window) {
    return kBelow * counts_[window].in(now, kLengths[window]) / in_seconds(kLengths[window]);
  };
  if (learned.rate > 0 && learned.in_a_row == 0) {  // sent evenly, and too much all the same
    const double here = rate_of(learned.window);
    const double less = here > learned.rate / 2 ? std::clamp(here, 0.9 * learned.rate, kBelow * learned.rate)
                                                : 0.7 * learned.rate;
    learned.rate = std::max(less, kLeast);
    learned.confirmed = true;
    if (++learned.cuts <= kMostCuts) return;
    // It asks as often whatever the rate is: no limit of a rate was met.
    learned.rate = 0;
    learned.window = learned.cuts = 0;
    return;
  }
  size_t window = learned.rate > 0 ? learned.window : 0;
  const auto is_met = [&](size_t each) {
    const double here = counts_[each].in(now, kLengths[each]);
    if (here < kEnough) return false;
    return here >= kFull * most_[each] || now - last_taken_ < kLengths[each] / 4;
  };
  while (window < kMinute && !is_met(window)) ++window;
  if (counts_[window].in(now, kLengths[window]) < kEnough) window = 0;  // no limit of a rate that is known
  learned.window = window;
  if (counts_[window].in(now, kLengths[window]) < kEnough) return;
  learned.rate = std::max(rate_of(window), kLeast);
}

conf::Duration LearnedPace::pause(conf::Instant now) const {
  const Learned& learned = *learned_;
  if (learned.in_a_row == 0 && learned.rate > 0 && learned.taken > 0)
    return std::clamp<conf::Duration>(duration(1 / learned.rate), 1s, 1min);
  const Count& count = counts_[learned.window];
  conf::Duration until_free{0};
  if (count.begin != conf::Instant::min()) until_free = count.begin + kLengths[learned.window] - now;
  const bool nothing_leaves = until_free <= conf::Duration(0);
  const conf::Duration grown = nothing_leaves ? kFirst * (1 << std::min<int>(learned.in_a_row, 7)) : kFirst;
  const int doublings = std::min<int>(learned.in_a_row / 2, 3);
  return std::min<conf::Duration>({std::max(grown, until_free), 1min * (1 << doublings), kLongest});
}

conf::Duration LearnedPace::slack() const { return duration(std::max(0.0, kSpikes - 1 / learned_->rate)); }

void LearnedPace::charge_rate(conf::Instant now) {
  learned_->next = std::max(learned_->next, now) + duration(1 / learned_->rate);
}

uint32_t LearnedPace::available(conf::Instant now) const {
  if (!has_rate()) return UINT32_MAX;
  if (learned_->next - slack() > now) return 0;
  const double ahead = in_seconds(now - std::max(learned_->next - slack(), now - slack()));
  return static_cast<uint32_t>(std::min(1e9, 1 + ahead * learned_->rate));
}

uint32_t LearnedPace::per_hour() const {
  return has_rate() ? static_cast<uint32_t>(std::min(learned_->rate * 3600, 4e9)) : 0;
}

conf::Instant LearnedPace::worth_until() const {
  return learned_ == nullptr ? conf::Instant::min() : std::max(learned_->until, learned_->at + kRemember);
}

bool LearnedPace::as_new(conf::Instant now) const { return worth_until() <= now; }

void LearnedPace::save(SavedWriter* out) const {
  out->number(learned_ == nullptr ? 0 : 1);
  if (learned_ == nullptr) return;
  out->number(static_cast<uint64_t>(std::lround(std::min(learned_->rate, 1e6) * kRateUnits)));
  out->number(learned_->window);
  out->number(learned_->confirmed ? 1 : 0);
  out->number(learned_->in_a_row);
  out->length(std::max(learned_->until - learned_->at, conf::Duration(0)));
  out->instant(learned_->at);
}

void LearnedPace::restore(SavedReader* in) {
  if (in->number(1) == 0) return;
  Learned learned;
  learned.rate = static_cast<double>(in->number(uint64_t{1'000'000} * kRateUnits)) / kRateUnits;
  learned.window = in->number(kMinute);
  learned.confirmed = in->number(1) == 1;
  learned.in_a_row = static_cast<uint8_t>(in->number(16));
  const conf::Duration pause = std::min(in->length(), kLongest);
  learned.at = learned.grown = in->recent_past();
  if (!in->ok()) return;
  if (learned.rate > 0) learned.rate = std::max(learned.rate, kLeast);
  learned.until = learned.next = learned.at + pause;
  learned_ = std::make_unique<Learned>(learned);
}

}  // namespace mx
