#include "mx/limits/slowdown.h"

#include <algorithm>
#include <cmath>

namespace mx {

namespace {

constexpr double kInFlight = 0.1;  // what a request adds that answers what was sent before the last one
// 4 s x 2^(kHottest - 1) is just above 10 minutes: more heat would only make the way back longer.
constexpr double kHottest = 8.25;
constexpr uint64_t kHeatUnits = 1'000'000;  // of a saved heat

double seconds(conf::Duration length) { return static_cast<double>(length.count()) / 1e6; }

}  // namespace

double Slowdown::heat(conf::Instant now) const {
  if (heat_ == 0) return 0;
  return heat_ * std::exp2(-seconds(std::max(now - at_, conf::Duration(0))) / seconds(kHalf));
}

void Slowdown::throttled(conf::Instant now) {
  const bool in_flight = counted_ != conf::Instant::min() && now - counted_ < kOneEvent;
  heat_ = std::min(heat(now) + (in_flight ? kInFlight : 1.0), kHottest);
  at_ = now;
  if (!in_flight) counted_ = now;
  const double pause = seconds(kFirst) * std::exp2(heat_ - 1);
  until_ = std::max(until_, now + std::min(conf::Duration(static_cast<int64_t>(pause * 1e6)), kLongest));
}

void Slowdown::at_least(const Slowdown& other, conf::Instant now) {
  heat_ = std::max(heat(now), other.heat(now));
  at_ = now;
  until_ = std::max(until_, other.until_);
  counted_ = std::max(counted_, other.counted_);
}

void Slowdown::save(SavedWriter* out, conf::Instant now) const {
  out->number(static_cast<uint64_t>(heat(now) * kHeatUnits));
  out->length(until_ > now ? until_ - now : conf::Duration(0));
  out->instant(now);
}

void Slowdown::restore(SavedReader* in) {
  const uint64_t heat = in->number(static_cast<uint64_t>(kHottest * kHeatUnits));
  const conf::Duration left = std::min(in->length(), kLongest);
  const conf::Instant at = in->past();
  if (!in->ok()) return;
  heat_ = static_cast<double>(heat) / kHeatUnits;
  at_ = at == conf::Instant::min() ? in->moment().now : at;
  until_ = at_ + left;
}

}  // namespace mx
