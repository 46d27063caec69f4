// The scale of a plot: from values to places on the paper, with round numbers for ticks.
#pragma once

#include <string>
#include <vector>

namespace bench {

// 1234567 -> "1,234,567"; below 100 with as many decimals as are needed for three digits, no trailing zeros.
std::string number_text(double value);

class Axis {
 public:
  // Linear, from `low` to a round number at or above `high`, with about `ticks` steps.
  static Axis linear(double low, double high, int ticks);
  // Linear, exactly from `low` to `high`.
  static Axis exact(double low, double high, int ticks);
  // Logarithmic, between round numbers around both; both above 0.
  static Axis logarithmic(double low, double high);

  double place(double value) const;  // 0 at the low end, 1 at the high end; clamped
  const std::vector<double>& ticks() const { return ticks_; }

 private:
  double low_ = 0;
  double high_ = 1;
  bool log_ = false;
  std::vector<double> ticks_;
};

}  // namespace bench
