#include <gtest/gtest.h>

#include <cmath>

#include "bench/report/axis.h"
#include "bench/report/chart.h"
#include "bench/report/page.h"

namespace bench {
namespace {

using Ticks = std::vector<double>;

TEST(Axis, NumbersForPeople) {
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(1234567), "1,234,567");
  EXPECT_EQ(number_text(999), "999");
  EXPECT_EQ(number_text(-1234), "-1,234");
  EXPECT_EQ(number_text(123.4), "123");
  EXPECT_EQ(number_text(12.34), "12.3");
  EXPECT_EQ(number_text(1.5), "1.5");
  EXPECT_EQ(number_text(0.25), "0.25");
  EXPECT_EQ(number_text(0.0004), "0.0004");
}

TEST(Axis, TicksAreRoundAndHoldTheRange) {
  EXPECT_EQ(Axis::linear(0, 1450, 5).ticks(), (Ticks{0, 500, 1000, 1500}));
  EXPECT_EQ(Axis::linear(0, 0, 5).ticks().front(), 0);
  EXPECT_FALSE(std::signbit(Axis::exact(0, 7, 5).ticks().front()));
  EXPECT_EQ(Axis::logarithmic(3, 45).ticks(), (Ticks{2, 5, 10, 20, 50}));
  EXPECT_EQ(Axis::logarithmic(0.03, 24).ticks().size(), 5U);  // 0.01 to 100
  for (double low = 0.001; low < 1000; low *= 1.7)
    for (double high = low; high < 1e6; high *= 2.3) {
      const Ticks ticks = Axis::logarithmic(low, high).ticks();
      ASSERT_GE(ticks.size(), 2U);
      EXPECT_LE(ticks.front(), low * (1 + 1e-9));
      EXPECT_GE(ticks.back(), high * (1 - 1e-9)) << low;
    }
}

TEST(Axis, PlacesAreWithinThePaper) {
  const Axis axis = Axis::logarithmic(1, 100);
  EXPECT_DOUBLE_EQ(axis.place(10), 0.5);
  EXPECT_DOUBLE_EQ(axis.place(0), 0);
  EXPECT_DOUBLE_EQ(axis.place(1e9), 1);
}

TEST(Report, ForeignTextIsHarmless) {
  EXPECT_EQ(escape_html("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
  EXPECT_EQ(escape_html("gr\xc3\xbc\xc3\x9f\x65"), "gr\xc3\xbc\xc3\x9f\x65");
  EXPECT_EQ(escape_html("a\xff\x01z\xc3"), "a??z?");
  Page page("<t>", "s");
  page.figure("h", "x", bars_html({{"550 <script>", 3, "3", Hue::kBad}}, "messages"));
  EXPECT_EQ(page.html("f").find("<script"), std::string::npos);
  EXPECT_NE(page.html("f").find("550 &lt;script&gt;"), std::string::npos);
}

TEST(Report, AnEmptyOrSinglePointPlotIsOne) {
  LineChart chart{"time (s)", "messages", {}, true, {}};
  EXPECT_NE(chart_html(chart).find("nothing was measured"), std::string::npos);
  chart.series.push_back({"one", Hue::kFirst, {{0, 5}}, true, false});
  const std::string drawn = chart_html(chart);
  EXPECT_EQ(drawn.find("nan"), std::string::npos);
  EXPECT_NE(drawn.find("time (s)"), std::string::npos);
}

}  // namespace
}  // namespace bench
