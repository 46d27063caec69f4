#include "bench/report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

// The smallest of 1, 2, 5 times a power of ten that is not below `rough`.
double round_step(double rough) {
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

}  // namespace

std::string number_text(double value) {
  const double size = std::fabs(value);
  if (size >= 1e15 || !std::isfinite(value)) return fmt::format("{:.2g}", value);
  if (size >= 100 || value == std::floor(value)) {
    std::string digits = fmt::format("{:.0f}", value);
    const size_t front = value < 0 ? 1 : 0;
    for (size_t at = digits.size(); at > front + 3;) digits.insert(at -= 3, ",");
    return digits;
  }
  if (size < 0.001) return fmt::format("{:.1g}", value);
  const int decimals = size >= 10 ? 1 : size >= 1 ? 2 : 3;
  std::string text = fmt::format("{:.{}f}", value, decimals);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

Axis Axis::exact(double low, double high, int ticks) {
  Axis axis;
  axis.low_ = low;
  axis.high_ = high > low ? high : low + 1;
  const double step = round_step((axis.high_ - low) / ticks);
  // From the count, so that no rounding adds up; the 0 takes the sign from a -0.
  for (double count = std::ceil(low / step - 1e-9); count * step <= axis.high_ + step * 1e-9; ++count)
    axis.ticks_.push_back(count * step + 0.0);
  return axis;
}

Axis Axis::linear(double low, double high, int ticks) {
  const double top = high > low ? high : low + 1;
  const double step = round_step((top - low) / ticks);
  return exact(low, low + std::ceil((top - low) / step - 1e-9) * step, ticks);
}

Axis Axis::logarithmic(double low, double high) {
  Axis axis;
  axis.log_ = true;
  low = std::max(low, 1e-6);
  high = std::max(high, low);
  // Whole decades when there are many of them, 1-2-5 steps when there are few.
  const bool decades = high / low > 300;
  std::vector<double> round;
  for (double power = std::pow(10, std::floor(std::log10(low))); power <= high * 100; power *= 10)
    for (const double factor : {1.0, 2.0, 5.0})
      if (factor == 1.0 || !decades) round.push_back(factor * power);
  for (size_t i = 0; i < round.size(); ++i) {
    const bool first = i + 1 < round.size() && round[i + 1] > low * (1 + 1e-9);
    if (!first) continue;
    axis.ticks_.push_back(round[i]);
    if (axis.ticks_.size() > 1 && round[i] >= high * (1 - 1e-9)) break;
  }
  axis.low_ = axis.ticks_.front();
  axis.high_ = axis.ticks_.back();
  return axis;
}

double Axis::place(double value) const {
  const double at =
      log_ ? (std::log(std::max(value, low_)) - std::log(low_)) / (std::log(high_) - std::log(low_))
           : (value - low_) / (high_ - low_);
  return std::clamp(at, 0.0, 1.0);
}

}  // namespace bench
