#include "mx/limits/decision.h"

#include <gtest/gtest.h>

namespace mx {
namespace {

using namespace std::chrono_literals;

TEST(Decision, DurationsAsPeopleSayThem) {
  struct Case {
    conf::Duration length;
    const char* text;
  };
  const Case cases[] = {{0s, "0 s"},
                        {3h, "3 h"},
                        {90min, "1 h 30 min"},
                        {45s, "45 s"},
                        {48h, "2 d"},
                        {49h, "2 d 1 h"},
                        {24h + 5min, "1 d"},
                        {61s, "1 min 1 s"},
                        {1500ms, "1 s 500 ms"},
                        {59s + 913ms, "1 min"},
                        {42s + 87ms, "42 s"},
                        {9s + 913ms, "9 s 913 ms"},
                        {20us, "0 s"},
                        {250ms, "250 ms"},
                        {-5s, "0 s"}};
  for (const Case& c : cases) EXPECT_EQ(duration_text(c.length), c.text);
}

TEST(Decision, SharesAreCutNotRounded) {
  EXPECT_EQ(share_text(290, 312), "92.9 %");
  EXPECT_EQ(share_text(89'999, 100'000), "89.9 %");
  EXPECT_EQ(share_text(0, 0), "0.0 %");
  EXPECT_EQ(share_text(7, 7), "100.0 %");
}

TEST(Decision, Until) {
  const conf::Instant now(1h);
  EXPECT_EQ(until_text(now + 3h, now), "for 3 h");
  EXPECT_EQ(until_text(now - 3h, now), "for 0 s");
  EXPECT_EQ(until_text(conf::kNever, now), "until an operator unblocks it");
}

}  // namespace
}  // namespace mx
