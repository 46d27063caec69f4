// Plots as inline SVG. Colours come from the style of the page (page.h), so they follow light and dark.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bench {

// Which colour of the page: the first for what matters most; kBad for refusals and losses.
enum class Hue { kFirst, kSecond, kThird, kFourth, kBad, kGrey };

struct Series {
  std::string name;
  Hue hue = Hue::kFirst;
  std::vector<std::pair<double, double>> points;  // in order of x
  bool filled = false;                            // down to the x axis
  bool dashed = false;                            // a target, not a measurement
};

struct LineChart {
  std::string x_label;  // with its unit: "time (s)"
  std::string y_label;
  std::vector<Series> series;
  bool log_y = false;
  // Ticks of the x axis with a text of their own; empty: round numbers.
  std::vector<std::pair<double, std::string>> x_ticks;
};

struct Bar {
  std::string label;
  double value = 0;
  std::string text;  // behind the bar, such as "1,234 (12 %)"
  Hue hue = Hue::kFirst;
};

// A legend stands above the plot when there is more than one series. The values at a place of x are shown by
// the browser under the pointer. Empty series make an empty plot with a note.
std::string chart_html(const LineChart& chart);
// Horizontal bars from 0, in the order given; `x_label` says what they count.
std::string bars_html(const std::vector<Bar>& bars, const std::string& x_label);

// For text and for attributes in double quotes; bytes that are no printable ASCII or UTF-8 become "?".
std::string escape_html(const std::string& text);

}  // namespace bench
