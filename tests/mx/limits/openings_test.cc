#include "mx/limits/openings.h"

#include <deque>

#include "mx/limits/saved.h"
#include "tests/mx/limits/rule_edits_rig.h"

namespace mx {
namespace {

// A receiver that takes so many new connections a minute from us, each for one message, while three go on.
class NewConnections : public RuleEdits {
 protected:
  static constexpr size_t kInAMinute = 20;
  struct Count {
    int taken = 0, refused = 0;
  };

  NewConnections() {
    limits.messages_per_hour = 0;
    limits.max_connections = 20;
  }
  void open_three(Traffic* traffic) const {
    for (int i = 0; i < 3; ++i) {
      traffic->connection_opened(now().now);
      traffic->accepted(now().now, {now().now, 0});
    }
  }
  static void close_three(Traffic* traffic) {
    for (int i = 0; i < 3; ++i) traffic->connection_closed(true);
  }
  // For so long, with always more to send.
  Count play(Traffic* traffic, Duration length) {
    Count count;
    for (const Duration end = time + length; time < end; time += 100ms) {
      const Instant at = now().now;
      if (!traffic->may_connect(at).yes) continue;
      traffic->connection_opened(at);
      while (!latest_.empty() && latest_.front() + 1min <= at) latest_.pop_front();
      const bool taken = latest_.size() < kInAMinute;
      if (taken) {
        latest_.push_back(at);
        traffic->accepted(at, {at, 0});
        ++count.taken;
      } else {
        traffic->turned_away(at, at);
        ++count.refused;
      }
      traffic->connection_closed(taken);
    }
    return count;
  }
  // It keeps to the pace from the first minute on.
  void expect_known(Traffic* traffic) {
    const Count count = play(traffic, 5min);
    EXPECT_GE(count.taken, static_cast<int>(kInAMinute) * 4);
    EXPECT_LE(count.refused, count.taken / 20);
    EXPECT_GE(traffic->window(), 4U) << "none was taken for one too many";
  }

  std::deque<Instant> latest_;  // that it took
};

TEST_F(NewConnections, TheirPaceIsLearned) {
  Traffic traffic(limits);
  open_three(&traffic);
  EXPECT_GT(play(&traffic, 30min).refused, 5);
  expect_known(&traffic);
}

TEST_F(NewConnections, TheirPaceSurvivesARestart) {
  edit({{"rule"}});
  std::shared_ptr<Traffic> counters = traffic("rule");
  open_three(counters.get());
  play(counters.get(), 30min);
  close_three(counters.get());
  counters.reset();
  restart();
  time += 2min;
  counters = traffic("rule");
  open_three(counters.get());
  expect_known(counters.get());
}

TEST_F(NewConnections, TheirPaceIsTakenOverByTheRuleThatDecidesAfterAnEdit) {
  for (const bool restarts : {false, true}) {
    SCOPED_TRACE(restarts ? "restarts" : "no restart");
    edit({{"old"}});
    std::shared_ptr<Traffic> counters = traffic("old");
    open_three(counters.get());
    play(counters.get(), 30min);
    expect_known(counters.get());
    close_three(counters.get());
    counters.reset();
    if (restarts) restart();
    edit({{"new"}, {"old"}});
    counters = traffic("new");
    open_three(counters.get());
    expect_known(counters.get());
    close_three(counters.get());
    held.clear();
    disk.clear();
    make_table();
  }
}

TEST_F(NewConnections, CountersThatKnowNothingElseAreKeptForAnHour) {
  Traffic traffic(limits);
  open_three(&traffic);
  play(&traffic, 30min);
  close_three(&traffic);
  EXPECT_FALSE(traffic.idle(now().now + 30min));
  EXPECT_GT(traffic.worth_until(now().now), now().now + 30min);
  EXPECT_TRUE(traffic.idle(now().now + 3h));
}

TEST_F(NewConnections, WhatWasSavedBeforeTheirPaceWasKeptIsStillRead) {
  edit({{"rule"}});
  Traffic traffic(limits);
  traffic.charge(now().now);
  std::string saved = traffic.save(now());
  std::string none;  // what the pace adds
  SavedWriter out(&none, now());
  Openings().save(&out);
  ASSERT_TRUE(saved.ends_with(none));
  saved.resize(saved.size() - none.size());
  Traffic restored(limits);
  EXPECT_FALSE(restored.restore(saved, now())) << "something is missing";
  ASSERT_EQ(saved.front(), 6) << "the version";
  saved.front() = 5;
  ASSERT_TRUE(restored.restore(saved, now()));
  EXPECT_EQ(restored.used_in_hour(now().now), 1U);
}

}  // namespace
}  // namespace mx
