#include "mx/limits/learned_pace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <functional>
#include <queue>
#include <vector>

#include "conf/vocab/random.h"
#include "mx/limits/traffic.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;

constexpr Instant kStart{Duration(5'000'000'123)};
constexpr conf::WallTime kWall{Duration(1'700'000'000'000'000)};

TEST(LearnedPace, OneRequestIsAPauseOfSecondsAndNoRate) {
  LearnedPace pace;
  for (int i = 0; i < 100; ++i) pace.taken(kStart);
  EXPECT_TRUE(pace.asked(kStart));
  EXPECT_EQ(pace.paused_until(), kStart + 4s);
  EXPECT_FALSE(pace.asked(kStart + 900ms)) << "what was under way";
  EXPECT_EQ(pace.paused_until(), kStart + 4s);
  EXPECT_EQ(pace.per_hour(), 0U);
  EXPECT_EQ(pace.available(kStart + 4s), UINT32_MAX);
  pace.taken(kStart + 5s);
  EXPECT_TRUE(pace.asked(kStart + 1h));
  EXPECT_EQ(pace.paused_until(), kStart + 1h + 4s) << "the one of an hour ago is forgotten";
  EXPECT_EQ(pace.per_hour(), 0U);
}

TEST(LearnedPace, PausesGrowUntilAMessageIsTaken) {
  LearnedPace pace;
  Instant now = kStart;
  Duration last{0};
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(pace.asked(now));
    EXPECT_GE(pace.paused_until() - now, last);
    last = pace.paused_until() - now;
    now = pace.paused_until();
  }
  EXPECT_EQ(last, 5min);
  EXPECT_EQ(pace.per_hour(), 0U) << "nothing was taken: that is no rate";
  pace.taken(now);
  ASSERT_TRUE(pace.asked(now + 2s));
  EXPECT_EQ(pace.paused_until(), now + 6s) << "a message taken makes the pause short again";
}

TEST(LearnedPace, ALimitOfAMinuteIsKnownWhenItWasMetInARow) {
  LearnedPace pace;
  for (int i = 0; i < 20; ++i) pace.taken(kStart + i * 50ms);
  Instant now = kStart + 1s;
  while (now < kStart + 1min) {
    ASSERT_TRUE(pace.asked(now));
    now = pace.paused_until();
  }
  EXPECT_LE(now, kStart + 2min);
  EXPECT_EQ(pace.per_hour(), 1176U) << "98 % of 20 a minute";
  EXPECT_GT(pace.available(now), 0U);
  pace.charge(now);
  EXPECT_EQ(pace.available(now), 0U);
  EXPECT_NEAR(static_cast<double>((pace.not_before(now) - now).count()), 3'061'224, 1);
}

TEST(LearnedPace, RequestsThatComeWhateverTheRateIsTeachNoRate) {
  LearnedPace pace;
  conf::Random random(3);
  Instant now = kStart;
  uint64_t taken = 0;
  while (now < kStart + 2h) {
    now = std::max({now + 100ms, pace.paused_until(), pace.not_before(now)});
    pace.charge(now);
    if (random.chance(0.02)) {
      pace.asked(now);
    } else {
      ++taken;
      pace.taken(now);
    }
  }
  EXPECT_GT(taken, 2U * 3600) << "more than one a second";
}

TEST(LearnedPace, SurvivesARestartAndIsForgottenAfterAnHour) {
  LearnedPace pace;
  for (int i = 0; i < 20; ++i) pace.taken(kStart);
  Instant now = kStart;
  for (int i = 0; i < 8; ++i, now = pace.paused_until()) pace.asked(now);
  ASSERT_NE(pace.per_hour(), 0U);
  const Moment before{now, kWall}, after{Instant(9s), kWall + 1s};
  std::string saved;
  SavedWriter out(&saved, before);
  pace.save(&out);
  LearnedPace restored;
  SavedReader in(saved, after);
  restored.restore(&in);
  EXPECT_TRUE(in.ok() && in.ended());
  EXPECT_EQ(restored.per_hour(), pace.per_hour());
  EXPECT_EQ(restored.paused_until() - after.now, pace.paused_until() - now - 1s);
  EXPECT_FALSE(restored.as_new(after.now));
  EXPECT_TRUE(restored.as_new(after.now + 1h));
}

// A receiver with a limit nobody knows, and a sender that has mail for it at all times.
class Receiver {
 public:
  Receiver(Duration window, uint32_t messages, uint32_t connections, Duration latency, uint64_t seed)
      : window_(window), messages_(messages), connections_(connections), latency_(latency), random_(seed) {}

  struct Seen {
    double share = 0, refused = 0;
  };
  Seen after_ten_minutes() {
    while (now_ < kStart + 40min) {
      send();
      if (events_.empty()) break;
      const Event event = events_.top();
      events_.pop();
      now_ = std::max(now_, event.at);
      answer(event.what);
    }
    const double rate = static_cast<double>(messages_) / static_cast<double>(window_ / 1s);
    const double most =
        std::min(rate, std::min(20U, connections_) / (static_cast<double>(latency_.count()) / 1e6));
    return {taken_ / (most * 1800), taken_ == 0 ? 100 : 100 * refused_ / taken_};
  }

 private:
  enum class What : uint8_t { kAnswered, kTurnedAway, kTime };
  struct Event {
    Instant at;
    What what;
    bool operator<(const Event& other) const { return at > other.at; }
  };
  void at(Instant when, What what) { events_.push({when, what}); }
  void wait(const Admission& admission) {
    if (admission.not_before == conf::kNever || (waits_until_ > now_ && waits_until_ <= admission.not_before))
      return;
    waits_until_ = admission.not_before;
    at(waits_until_, What::kTime);
  }
  void send() {
    for (;;) {
      if (const Admission admission = traffic_.may_send(now_); !admission.yes) return wait(admission);
      if (idle_ > 0) {
        --idle_;
      } else {
        if (const Admission admission = traffic_.may_connect(now_); !admission.yes) return wait(admission);
        traffic_.connection_opened();
        if (traffic_.connections() > connections_) {
          at(now_ + latency_, What::kTurnedAway);
          continue;
        }
      }
      traffic_.charge(now_);
      at(now_ +
             Duration(static_cast<int64_t>(static_cast<double>(latency_.count()) * (0.5 + random_.unit()))),
         What::kAnswered);
    }
  }
  void answer(What what) {
    const double counts = now_ >= kStart + 10min ? 1 : 0;
    while (!minute_.empty() && minute_.front() <= now_ - window_) minute_.pop_front();
    if (what == What::kTurnedAway) {
      refused_ += counts;
      traffic_.turned_away(now_);
      traffic_.connection_closed();
    } else if (what == What::kAnswered && minute_.size() < messages_) {
      minute_.push_back(now_);
      taken_ += counts;
      traffic_.accepted(now_);
      ++idle_;
    } else if (what == What::kAnswered) {  // 421: it closes
      refused_ += counts;
      traffic_.throttled(now_);
      traffic_.connection_closed();
    }
  }

  Duration window_;
  uint32_t messages_, connections_;
  Duration latency_;
  conf::Random random_;
  Traffic traffic_{[] {
    PathLimits limits;
    limits.max_connections = 20;
    return limits;
  }()};
  Instant now_ = kStart, waits_until_ = kStart;
  uint32_t idle_ = 0;
  double taken_ = 0, refused_ = 0;
  std::deque<Instant> minute_;
  std::priority_queue<Event> events_;
};

TEST(LearnedPace, HiddenLimitsAreFoundAndKeptTo) {
  const struct {
    const char* name;
    Duration window;
    uint32_t least, most;
    double share;  // of the hidden limit, at least
  } rows[] = {{"a second", 1s, 2, 50, 0.6},
              {"ten seconds", 10s, 5, 200, 0.9},
              {"a minute", 1min, 10, 2000, 0.9},
              {"connections", 1s, 1'000'000, 1'000'000, 0.9}};
  for (const auto& row : rows) {
    conf::Random random(11);
    std::vector<double> shares, refused;
    for (int i = 0; i < 20; ++i) {
      const auto messages =
          static_cast<uint32_t>(row.least * std::pow(double{1} * row.most / row.least, random.unit()));
      const bool few = row.most == 1'000'000 || random.chance(0.3);
      const auto connections = static_cast<uint32_t>(few ? 3 + random.below(10) : 1000);
      const double least_latency = row.most == 1'000'000 ? 200'000 : 20'000;
      const Duration latency(static_cast<int64_t>(least_latency * std::pow(10.0, random.unit())));
      const Receiver::Seen seen =
          Receiver(row.window, messages, connections, latency, random.next()).after_ten_minutes();
      EXPECT_GE(seen.share, row.share) << messages << " in " << row.name << ", " << latency / 1ms << " ms";
      EXPECT_LT(seen.refused, 2) << messages << " in " << row.name << ", " << latency / 1ms << " ms";
      shares.push_back(seen.share);
      refused.push_back(seen.refused);
    }
    std::sort(shares.begin(), shares.end());
    std::sort(refused.begin(), refused.end());
    std::printf(
        "%-12s share of the limit: least %.2f, median %.2f; refused for 100 taken: median %.2f, most %.2f\n",
        row.name, shares.front(), shares[10], refused[10], refused.back());
  }
}

}  // namespace
}  // namespace mx
