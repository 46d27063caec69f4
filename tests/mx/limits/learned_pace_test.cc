#include "mx/limits/learned_pace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <queue>
#include <vector>

#include "conf/vocab/random.h"
#include "mx/limits/traffic.h"
#include "tests/mx/limits/stories.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;

constexpr Instant kStart{Duration(5'000'000'123)};
constexpr conf::WallTime kWall{Duration(1'700'000'000'000'000)};

TEST(LearnedPace, OneRequestIsAPauseOfSecondsAndNoRate) {
  LearnedPace pace;
  for (int i = 0; i < 100; ++i) pace.taken(kStart, kStart);
  EXPECT_TRUE(pace.asked(kStart, kStart));
  EXPECT_EQ(pace.paused_until(), kStart + 4s);
  EXPECT_FALSE(pace.asked(kStart + 900ms, kStart - 1ms)) << "what was under way";
  EXPECT_EQ(pace.paused_until(), kStart + 4s);
  EXPECT_EQ(pace.per_hour(), 0U);
  EXPECT_EQ(pace.available(kStart + 4s), UINT32_MAX);
  pace.taken(kStart + 5s, kStart + 5s);
  EXPECT_TRUE(pace.asked(kStart + 1h, kStart + 1h));
  EXPECT_EQ(pace.paused_until(), kStart + 1h + 4s);
  EXPECT_EQ(pace.per_hour(), 0U);
}

TEST(LearnedPace, ARequestAloneCostsAFiftiethOfTheTimeSinceTheLast) {
  LearnedPace pace;
  pace.asked(kStart, kStart);
  pace.taken(kStart + 5s, kStart + 5s);
  pace.asked(kStart + 10s, kStart + 9s);
  EXPECT_EQ(pace.paused_until(), kStart + 10s + 200ms);
}

TEST(LearnedPace, PausesGrowUntilAMessageIsTaken) {
  LearnedPace pace;
  Instant now = kStart;
  Duration last{0};
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(pace.asked(now, now));
    EXPECT_GE(pace.paused_until() - now, last);
    last = pace.paused_until() - now;
    now = pace.paused_until();
  }
  EXPECT_EQ(last, 1min) << "it may be no limit, but a host that is down";
  EXPECT_TRUE(pace.in_a_row());
  EXPECT_EQ(pace.per_hour(), 0U) << "nothing was taken: that is no rate";
  pace.taken(now, now);
  EXPECT_FALSE(pace.in_a_row());
  ASSERT_TRUE(pace.asked(now + 2s, now + 1s));
  EXPECT_LE(pace.paused_until(), now + 6s) << "a message taken makes the pause short again";
}

// A host may be down a second time: what was learned the first time is no reason to try it more seldom.
TEST(LearnedPace, ASecondSilenceIsTriedOnceAMinuteInItsFirstHourToo) {
  LearnedPace pace;
  Instant now = kStart;
  for (int i = 0; i < 6; ++i, now = pace.paused_until()) ASSERT_TRUE(pace.asked(now, now));
  pace.taken(now, now);
  now += 10s;
  const Instant begin = now;
  Duration last{0};
  for (; now < begin + 1h; now = pace.paused_until()) {
    ASSERT_TRUE(pace.asked(now, now));
    last = pace.paused_until() - now;
    ASSERT_LE(last, 1min);
  }
  EXPECT_EQ(last, 1min);
  for (; now < begin + 6h; now = pace.paused_until()) {
    ASSERT_TRUE(pace.asked(now, now));
    last = pace.paused_until() - now;
    ASSERT_LE(last, std::max<Duration>((now - begin) / 60, 1min));
  }
  EXPECT_EQ(last, 5min);
}

TEST(LearnedPace, OneThatWasTakenBesideTheRefusedOneEndsTheSilence) {
  LearnedPace pace;
  Instant now = kStart;
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(pace.asked(now, now));
    now = pace.paused_until();
  }
  ASSERT_TRUE(pace.asked(now + 10ms, now));
  ASSERT_GT(pace.paused_until(), now + 1min);
  pace.taken(now + 50ms, now);  // it began with the one that was refused
  EXPECT_FALSE(pace.in_a_row());
  EXPECT_LE(pace.paused_until(), now + 10ms + 1s);
}

// Sends as fast as it may until the receiver, which takes `messages` in any `window`, has taught a rate.
uint32_t learned_from(uint32_t messages, Duration window, Instant* now) {
  LearnedPace pace;
  std::deque<Instant> taken;
  while (*now < kStart + 5 * window && !pace.has_rate()) {
    while (!taken.empty() && taken.front() <= *now - window) taken.pop_front();
    if (taken.size() < messages) {
      taken.push_back(*now);
      pace.taken(*now, *now);
    } else {
      pace.asked(*now, *now);
    }
    *now = std::max(*now + 50ms, pace.paused_until());
  }
  return pace.per_hour();
}

TEST(LearnedPace, ALimitIsKnownAfterThreeSilences) {
  Instant now = kStart;
  EXPECT_NEAR(learned_from(20, 1min, &now), 0.98 * 1200, 1);
  EXPECT_LE(now, kStart + 5min);
  now = kStart;
  EXPECT_NEAR(learned_from(500, 1h, &now), 490, 1);
  EXPECT_LE(now, kStart + 4h);
  now = kStart;
  EXPECT_NEAR(learned_from(40, 137s, &now), 0.98 * 40 * 3600 / 137, 75) << "no usual window";
}

// A path with a rate: 20 a minute, learned.
LearnedPace at_twenty(Instant* now) {
  LearnedPace pace;
  std::deque<Instant> taken;
  while (!pace.has_rate()) {
    while (!taken.empty() && taken.front() <= *now - 1min) taken.pop_front();
    if (taken.size() < 20) {
      taken.push_back(*now);
      pace.taken(*now, *now);
    } else {
      pace.asked(*now, *now);
    }
    *now = std::max(*now + 50ms, pace.paused_until());
  }
  return pace;
}

void send_evenly(LearnedPace* pace, Instant until, Instant* now) {
  while (*now < until) {
    *now = std::max(*now, pace->not_before(*now));
    pace->charge(*now);
    pace->taken(*now, *now);
  }
}

TEST(LearnedPace, MetAgainByEvenMailItIsCutOnceByATwentieth) {
  Instant now = kStart;
  LearnedPace pace = at_twenty(&now);
  send_evenly(&pace, now + 50s, &now);
  const uint32_t rate = pace.per_hour();
  pace.asked(now, now);
  EXPECT_EQ(pace.per_hour(), rate) << "one request may be chance";
  EXPECT_LE(pace.paused_until(), now);
  pace.asked(now + 100ms, now + 100ms);
  EXPECT_NEAR(pace.per_hour(), 0.95 * rate, 1);
  pace.asked(now + 5s, now + 5s);
  EXPECT_NEAR(pace.per_hour(), 0.95 * rate, 1) << "once for those in a row";
}

TEST(LearnedPace, GrowsWhenNothingIsMet) {
  Instant now = kStart;
  LearnedPace pace = at_twenty(&now);
  const Instant learned = now;
  const uint32_t rate = pace.per_hour();
  send_evenly(&pace, learned + 55s, &now);
  EXPECT_EQ(pace.per_hour(), rate);
  send_evenly(&pace, learned + 4min, &now);
  EXPECT_GT(pace.per_hour(), rate);
  EXPECT_LT(pace.per_hour(), 1.2 * rate);
}

TEST(LearnedPace, RequestsThatComeWhateverTheRateIsTeachNoRate) {
  LearnedPace pace;
  conf::Random random(3);
  Instant now = kStart;
  uint64_t taken = 0;
  while (now < kStart + 1h) {
    now = std::max({now + 100ms, pace.paused_until(), pace.not_before(now)});
    pace.charge(now);
    if (random.chance(0.01)) {
      pace.asked(now, now);
    } else {
      ++taken;
      pace.taken(now, now);
    }
  }
  EXPECT_GT(taken, 9U * 3600) << "nine tenths of ten a second";
}

TEST(LearnedPace, SurvivesARestartAndIsForgottenAfterAnHour) {
  Instant now = kStart;
  LearnedPace pace = at_twenty(&now);
  pace.asked(now, now);
  pace.asked(now, now);
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

// A receiver with limits nobody knows, and a sender that has mail for it at all times.
struct Hidden {
  const char* name = "";
  Duration window{1s};
  uint32_t messages = UINT32_MAX;  // in any window
  uint32_t connections = 1000, per_connection = UINT32_MAX;
  double noise = 0;
  Duration latency{100ms};
  uint32_t new_ones = UINT32_MAX;  // connections in a minute; those turned away do not count
};

class Receiver {
 public:
  Receiver(const Hidden& hidden, uint64_t seed) : hidden_(hidden), random_(seed) {}

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
      answer(event);
    }
    const double latency = static_cast<double>(hidden_.latency.count()) / 1e6;
    double most = std::min(20U, hidden_.connections) / latency;
    if (hidden_.per_connection != UINT32_MAX) most *= hidden_.per_connection / (1.0 + hidden_.per_connection);
    most = std::min({most, double{1} * hidden_.messages / static_cast<double>(hidden_.window / 1s),
                     double{kMostOver} * hidden_.new_ones / 60});
    return {taken_ / (most * 1800), taken_ == 0 ? 100 : 100 * refused_ / taken_};
  }

 private:
  static constexpr uint32_t kMostOver = 100;  // messages over a connection, by the rule
  enum class What : uint8_t { kReady, kAnswered, kTime };
  struct Event {
    Instant at;
    What what;
    Instant begun{};
    uint32_t before = 0;  // messages over the connection
    bool operator<(const Event& other) const { return at > other.at; }
  };
  void wait(const Admission& admission) {
    if (admission.not_before == conf::kNever || (waits_until_ > now_ && waits_until_ <= admission.not_before))
      return;
    waits_until_ = admission.not_before;
    events_.push({waits_until_, What::kTime});
  }
  Instant later() {
    return now_ + Duration(static_cast<int64_t>(static_cast<double>(hidden_.latency.count()) *
                                                (0.5 + random_.unit())));
  }
  void close(uint32_t taken) { traffic_.connection_closed(taken > 0); }
  void send() {
    for (;;) {
      if (!idle_.empty()) {
        if (const Admission admission = traffic_.may_send(now_); !admission.yes) return wait(admission);
        traffic_.charge(now_);
        events_.push({later(), What::kAnswered, now_, idle_.back()});
        idle_.pop_back();
        continue;
      }
      const Admission admission = traffic_.may_send(now_).also(traffic_.may_connect(now_));
      if (!admission.yes) return wait(admission);
      if (opening_ >= traffic_.budget(now_)) return;
      traffic_.connection_opened(now_);
      ++opening_;
      events_.push({later(), What::kReady, now_});
    }
  }
  void rest(uint32_t taken) {
    const uint32_t most = traffic_.most_per_connection(now_);
    if (traffic_.connections() > traffic_.window() || taken >= (most != 0 ? most : kMostOver))
      return close(taken);
    idle_.push_back(taken);
  }
  void answer(const Event& event) {
    const double counts = now_ >= kStart + 10min ? 1 : 0;
    while (!recent_.empty() && recent_.front() <= now_ - hidden_.window) recent_.pop_front();
    if (event.what == What::kTime) return;
    if (event.what == What::kReady) {
      --opening_;
      if (traffic_.connections() <= hidden_.connections && greets()) return rest(0);
      refused_ += counts;
      traffic_.turned_away(now_, event.begun);
      return close(0);
    }
    const bool taken = recent_.size() < hidden_.messages && event.before < hidden_.per_connection &&
                       !random_.chance(hidden_.noise);
    if (taken) {
      recent_.push_back(now_);
      taken_ += counts;
      traffic_.accepted(now_, {event.begun, event.before});
      return rest(event.before + 1);
    }
    refused_ += counts;
    traffic_.throttled(now_, {event.begun, event.before});
    close(event.before);
  }
  bool greets() {
    while (!greeted_.empty() && greeted_.front() <= now_ - 1min) greeted_.pop_front();
    if (greeted_.size() >= hidden_.new_ones) return false;
    greeted_.push_back(now_);
    return true;
  }

  Hidden hidden_;
  conf::Random random_;
  Traffic traffic_{[] {
    PathLimits limits;
    limits.max_connections = 20;
    return limits;
  }()};
  Instant now_ = kStart, waits_until_ = kStart;
  std::vector<uint32_t> idle_;  // messages over each
  uint32_t opening_ = 0;
  double taken_ = 0, refused_ = 0;
  std::deque<Instant> recent_, greeted_;
  std::priority_queue<Event> events_;
};

void expect_found(const Hidden& hidden, double share) {
  for (uint64_t seed = 1; seed <= stories(5); ++seed) {
    const Receiver::Seen seen = Receiver(hidden, seed).after_ten_minutes();
    EXPECT_GE(seen.share, share) << hidden.name << ", seed " << seed;
    EXPECT_LT(seen.refused, 2) << hidden.name << ", seed " << seed;
  }
}

TEST(LearnedPace, HiddenLimitsAreFoundAndKeptTo) {
  const Hidden rows[] = {{"ten seconds", 10s, 10},
                         {"ten seconds, many", 10s, 300},
                         {"a minute, few", 1min, 12},
                         {"a minute", 1min, 120, 3},
                         {"a minute, many", 1min, 1500, 8, UINT32_MAX, 0, 50ms},
                         {"connections", 1s, UINT32_MAX, 4, UINT32_MAX, 0, 300ms},
                         {"one connection", 1s, UINT32_MAX, 1, UINT32_MAX, 0, 500ms},
                         {"over a connection", 1s, UINT32_MAX, 1000, 7, 0, 300ms},
                         {"all of them", 1min, 200, 4, 20},
                         {"noise", 1s, UINT32_MAX, 1000, UINT32_MAX, 0.01, 400ms},
                         {"a minute and noise", 1min, 300, 1000, UINT32_MAX, 0.01}};
  for (const Hidden& row : rows) expect_found(row, 0.9);
}

// Of what they could carry when each is full. Which of them is closed when is left to chance, so the pace
// that is seen is rougher than that of messages.
TEST(LearnedPace, AHiddenLimitOfNewConnectionsIsFound) {
  expect_found({"few", 1s, UINT32_MAX, 1000, UINT32_MAX, 0, 400ms, 5}, 0.75);
  expect_found({"some", 1s, UINT32_MAX, 1000, UINT32_MAX, 0, 400ms, 12}, 0.75);
  expect_found({"many", 1s, UINT32_MAX, 1000, UINT32_MAX, 0, 250ms, 30}, 0.75);
}

}  // namespace
}  // namespace mx
