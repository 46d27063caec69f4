#include "bench/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "bench/report/axis.h"
#include "conf/vocab/utf8.h"

namespace bench {
namespace {

constexpr double kWidth = 720, kHeight = 300;
constexpr double kLeft = 80, kRight = 30, kTop = 12, kBottom = 46;
constexpr const char* kHues[] = {"h0", "h1", "h2", "h3", "bad", "grey"};

const char* hue_class(Hue hue) { return kHues[static_cast<size_t>(hue)]; }

struct Frame {
  Axis x;
  Axis y;
  double px(double value) const { return kLeft + x.place(value) * (kWidth - kLeft - kRight); }
  double py(double value) const { return kHeight - kBottom - y.place(value) * (kHeight - kTop - kBottom); }
};

// The range of all points; of y only what is above 0 when that is all a logarithm takes.
Frame make_frame(const LineChart& chart) {
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  for (const Series& series : chart.series)
    for (const auto& [x, y] : series.points) {
      x_low = std::min(x_low, x);
      x_high = std::max(x_high, x);
      if (chart.log_y && y <= 0) continue;
      y_low = std::min(y_low, y);
      y_high = std::max(y_high, y);
    }
  for (const auto& [x, text] : chart.x_ticks) {
    x_low = std::min(x_low, x);
    x_high = std::max(x_high, x);
  }
  if (!std::isfinite(x_low)) x_low = 0, x_high = 1;
  if (chart.x_ticks.empty()) x_low = std::min(x_low, 0.0);
  if (!std::isfinite(y_low)) y_low = 1, y_high = 10;
  Frame frame;
  frame.x = Axis::exact(x_low, x_high, 8);
  frame.y = chart.log_y ? Axis::logarithmic(y_low, y_high) : Axis::linear(0, y_high, 5);
  return frame;
}

std::string draw_axes(const LineChart& chart, const Frame& frame) {
  std::string out;
  const double bottom = kHeight - kBottom;
  for (const double tick : frame.y.ticks()) {
    const double y = frame.py(tick);
    out += fmt::format(R"(<line class="grid" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>)", kLeft, y,
                       kWidth - kRight, y);
    out += fmt::format(R"(<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>)", kLeft - 8,
                       y + 4, number_text(tick));
  }
  std::vector<std::pair<double, std::string>> ticks = chart.x_ticks;
  if (ticks.empty())
    for (const double tick : frame.x.ticks()) ticks.emplace_back(tick, number_text(tick));
  for (const auto& [at, text] : ticks) {
    const double x = frame.px(at);
    out += fmt::format(R"(<line class="axis" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>)", x, bottom,
                       bottom + 4);
    out += fmt::format(R"(<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x,
                       bottom + 18, escape_html(text));
  }
  out += fmt::format(R"(<line class="axis" x1="{}" y1="{}" x2="{}" y2="{}"/>)", kLeft, bottom,
                     kWidth - kRight, bottom);
  out += fmt::format(R"(<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>)",
                     (kLeft + kWidth - kRight) / 2, kHeight - 8, escape_html(chart.x_label));
  out += fmt::format(
      R"svg(<text class="label" transform="translate(13 {}) rotate(-90)" text-anchor="middle">{}</text>)svg",
      (kTop + bottom) / 2, escape_html(chart.y_label));
  return out;
}

std::string draw_series(const Series& series, const Frame& frame, bool log_y) {
  std::string path;
  double first = 0, last = 0;
  for (const auto& [x, y] : series.points) {
    if (log_y && y <= 0) continue;
    last = frame.px(x);
    if (path.empty()) first = last;
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", last, frame.py(y));
  }
  if (path.empty()) return {};
  if (path.find('L') == std::string::npos) path += "h0.1";  // a single point: seen as a dot
  std::string out;
  const double bottom = kHeight - kBottom;
  if (series.filled)
    out += fmt::format(R"(<path class="area {}" d="{}L{:.1f} {}L{:.1f} {}Z"/>)", hue_class(series.hue), path,
                       last, bottom, first, bottom);
  out += fmt::format(R"(<path class="line {}{}" d="{}"/>)", hue_class(series.hue),
                     series.dashed ? " dashed" : "", path);
  return out;
}

// Invisible stripes, one around each x, whose title the browser shows.
std::string draw_hints(const LineChart& chart, const Frame& frame) {
  std::set<double> places;
  for (const Series& series : chart.series)
    if (!series.dashed)
      for (const auto& [x, y] : series.points) places.insert(x);
  std::string out;
  double from = kLeft;
  for (auto at = places.begin(); at != places.end(); ++at) {
    const double to =
        std::next(at) == places.end() ? kWidth - kRight : (frame.px(*at) + frame.px(*std::next(at))) / 2;
    std::string text;
    for (const auto& [x, label] : chart.x_ticks)
      if (x == *at) text = label;
    if (text.empty()) text = number_text(*at);
    text = chart.x_label + ": " + text;
    for (const Series& series : chart.series)
      for (const auto& [x, y] : series.points)
        if (x == *at) text += "\n" + series.name + ": " + number_text(y);
    out += fmt::format(
        R"(<rect class="hint" x="{:.1f}" y="{}" width="{:.1f}" height="{}"><title>{}</title></rect>)", from,
        kTop, std::max(0.0, to - from), kHeight - kTop - kBottom, escape_html(text));
    from = to;
  }
  return out;
}

std::string draw_legend(const LineChart& chart) {
  if (chart.series.size() < 2) return {};
  std::string out = "<p class=\"legend\">";
  for (const Series& series : chart.series)
    out += fmt::format(
        R"(<span><svg class="key" viewBox="0 0 22 10" aria-hidden="true"><path class="line {}{}" d="M1 5H21"/></svg>{}</span>)",
        hue_class(series.hue), series.dashed ? " dashed" : "", escape_html(series.name));
  return out + "</p>";
}

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t length = conf::utf8_character(std::string_view(text).substr(at)).octets;
    const char c = text[at];
    if (length == 0 || (length == 1 && ((c < ' ' && c != '\n') || c == 127))) {
      out += '?';
      ++at;
      continue;
    }
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out.append(text, at, length);
    at += length;
  }
  return out;
}

std::string chart_html(const LineChart& chart) {
  const Frame frame = make_frame(chart);
  std::string out = draw_legend(chart);
  out += fmt::format(R"(<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{} over {}">)", kWidth,
                     kHeight, escape_html(chart.y_label), escape_html(chart.x_label));
  out += draw_axes(chart, frame);
  std::string drawn;
  for (const Series& series : chart.series) drawn += draw_series(series, frame, chart.log_y);
  if (drawn.empty())
    drawn =
        fmt::format(R"(<text class="label" x="{}" y="{}" text-anchor="middle">nothing was measured</text>)",
                    kWidth / 2, kHeight / 2);
  return out + drawn + draw_hints(chart, frame) + "</svg>";
}

std::string bars_html(const std::vector<Bar>& bars, const std::string& x_label) {
  double most = 0;
  for (const Bar& bar : bars) most = std::max(most, bar.value);
  if (bars.empty()) return "<p class=\"legend\">nothing was measured</p>";
  std::string out = fmt::format("<p class=\"legend\">{}</p><div class=\"bars\">", escape_html(x_label));
  for (const Bar& bar : bars)
    out += fmt::format(
        R"(<div class="bar"><span class="name">{}</span><span class="track"><span class="fill {}" style="width:{:.2f}%"></span></span><span class="value">{}</span></div>)",
        escape_html(bar.label), hue_class(bar.hue), most > 0 ? bar.value / most * 100 : 0,
        escape_html(bar.text));
  return out + "</div>";
}

}  // namespace bench
