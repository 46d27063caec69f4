#include "mx/limits/traffic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "conf/vocab/random.h"
#include "mx/limits/lease.h"
#include "tests/mx/limits/most_in.h"
#include "tests/mx/limits/stories.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;

constexpr Instant kStart{Duration(5'000'000'123)};
constexpr conf::WallTime kWall{Duration(1'700'000'000'000'000)};

PathLimits limits_of(uint32_t per_hour, conf::RuleRate rate = {}, uint32_t connections = 20) {
  PathLimits limits;
  limits.messages_per_hour = per_hour;
  limits.rate = rate;
  limits.max_connections = connections;
  return limits;
}

TEST(Traffic, ConnectionsAreBoundByTheWindowThenByTheLimit) {
  Traffic traffic(limits_of(0, {}, 6));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(traffic.may_connect(kStart).yes);
    traffic.connection_opened(kStart);
  }
  Admission answer = traffic.may_connect(kStart);
  EXPECT_FALSE(answer.yes);
  EXPECT_EQ(answer.bind, Bind::kWindow);
  EXPECT_EQ(answer.not_before, conf::kNever);
  for (int i = 0; i < 5; ++i) traffic.accepted(kStart);
  ASSERT_TRUE(traffic.may_connect(kStart).yes);
  traffic.connection_opened(kStart);
  EXPECT_EQ(traffic.may_connect(kStart).bind, Bind::kConnections);
  traffic.connection_closed();
  EXPECT_TRUE(traffic.may_connect(kStart).yes);
  EXPECT_EQ(traffic.connections(), 5u);
}

TEST(Traffic, ARequestToSlowDownStopsEverythingForAWhile) {
  Traffic traffic(limits_of(0));
  traffic.throttled(kStart);
  for (const Admission& answer : {traffic.may_send(kStart), traffic.may_connect(kStart)}) {
    EXPECT_EQ(answer.bind, Bind::kSlowed);
    EXPECT_EQ(answer.not_before, kStart + 4s);
  }
  EXPECT_EQ(traffic.window(), 5u) << "one request may be chance";
  EXPECT_TRUE(traffic.may_send(kStart + 4s).yes);
  EXPECT_TRUE(traffic.may_connect(kStart + 4s).yes);
  traffic.throttled(kStart + 5s);
  EXPECT_EQ(traffic.window(), 3u);
  traffic.reset();
  EXPECT_TRUE(traffic.may_send(kStart + 5s).yes);
  EXPECT_EQ(traffic.window(), 5u);
}

TEST(Traffic, AfterAPauseOneConnectionGoesFirst) {
  Traffic traffic(limits_of(0));
  traffic.throttled(kStart);
  const Instant later = traffic.slowed_until();
  ASSERT_TRUE(traffic.may_connect(later).yes);
  traffic.connection_opened(kStart);
  EXPECT_EQ(traffic.may_connect(later).bind, Bind::kWindow);
  EXPECT_TRUE(traffic.accepted(later)) << "now more may follow";
  EXPECT_TRUE(traffic.may_connect(later).yes);
}

TEST(Traffic, ATurnedAwayConnectionStopsNoneOfTheOthers) {
  Traffic traffic(limits_of(0));
  for (int i = 0; i < 5; ++i) traffic.connection_opened(kStart);
  for (int i = 0; i < 2; ++i) {  // the receiver holds three
    traffic.turned_away(kStart, kStart);
    traffic.connection_closed();
  }
  EXPECT_EQ(traffic.window(), 3U);
  EXPECT_TRUE(traffic.may_send(kStart).yes);
  EXPECT_EQ(traffic.may_connect(kStart).bind, Bind::kWindow);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(traffic.accepted(kStart + 1s));
  EXPECT_EQ(traffic.window(), 3U) << "it does not grow at once";
  for (int i = 0; i < 199; ++i) EXPECT_FALSE(traffic.accepted(kStart + 1h));
  traffic.accepted(kStart + 1h);
  EXPECT_EQ(traffic.window(), 4U);
}

// It has served more at a time: that one came too soon after others, and only new ones have to wait.
TEST(Traffic, AConnectionTurnedAwayWhereMoreWereServedStopsNoneButNewOnes) {
  Traffic traffic(limits_of(0));
  for (int i = 0; i < 5; ++i) {
    traffic.connection_opened(kStart);
    traffic.accepted(kStart, {kStart, 0});
  }
  for (int i = 0; i < 2; ++i) traffic.connection_closed(true);
  const Instant now = kStart + 10s;
  const uint32_t window = traffic.window();
  traffic.connection_opened(now);
  traffic.turned_away(now, now);
  traffic.connection_closed();
  EXPECT_EQ(traffic.window(), window);
  EXPECT_TRUE(traffic.may_send(now).yes);
  const Admission admission = traffic.may_connect(now);
  EXPECT_EQ(admission.bind, Bind::kSlowed);
  ASSERT_LE(admission.not_before, now + 4s);
  EXPECT_TRUE(traffic.may_connect(admission.not_before).yes);
  for (int i = 0; i < 3; ++i) traffic.connection_closed(true);
  EXPECT_TRUE(traffic.may_connect(now).yes) << "the only one never waits for that";
}

TEST(Traffic, FirstMessagesThatAreRefusedBesideOthersThatAreTakenAreOneConnectionTooMany) {
  Traffic traffic(limits_of(0));
  Instant now = kStart;
  for (int i = 0; i < 5; ++i) traffic.connection_opened(kStart);
  for (int i = 0; i < 2; ++i, now += 10s) {
    EXPECT_EQ(traffic.window(), 5U);
    traffic.throttled(now, {now - 1ms, 0});
    traffic.accepted(now + 5s, {now + 4s, 7});
  }
  EXPECT_EQ(traffic.window(), 4U);
}

TEST(Traffic, MessagesOverAConnectionAreCountedWhereItRefusesThree) {
  Traffic traffic(limits_of(0));
  Instant now = kStart;
  for (int i = 0; i < 3; ++i, now += 10s) {
    EXPECT_EQ(traffic.most_per_connection(now), 0U);
    for (uint32_t n = 0; n < 4; ++n) traffic.accepted(now, {now, n});
    traffic.throttled(now, {now, 4});
  }
  EXPECT_EQ(traffic.most_per_connection(now), 4U);
  EXPECT_TRUE(traffic.may_send(now).yes) << "it was no request for a slower pace";
  EXPECT_EQ(traffic.most_per_connection(now + 2h), 0U) << "it is tried anew";
}

TEST(Traffic, RefusalsOfNewConnectionsTooAreNoLimitOfMessagesOverOne) {
  Traffic traffic(limits_of(0));
  Instant now = kStart;
  for (int i = 0; i < 6; ++i, now += 10min) {
    for (uint32_t n = 0; n < 4; ++n) traffic.accepted(now, {now, n});
    traffic.throttled(now, {now, 4});
    traffic.throttled(now + 5s, {now + 5s, 0});
  }
  EXPECT_EQ(traffic.most_per_connection(now), 0U);
}

TEST(Traffic, TheOnlyConnectionTurnedAwayIsARequestToSlowDown) {
  Traffic traffic(limits_of(0));
  traffic.connection_opened(kStart);
  traffic.turned_away(kStart, kStart);
  EXPECT_EQ(traffic.may_send(kStart).bind, Bind::kSlowed);
}

TEST(Traffic, TheLatestOfSeveralLimitsBinds) {
  Traffic traffic(limits_of(12, {60, 1min, 1}));
  traffic.charge(kStart);
  Admission answer = traffic.may_send(kStart);
  EXPECT_EQ(answer.bind, Bind::kQuota);
  EXPECT_EQ(answer.not_before, kStart + 5min);
  traffic.set(limits_of(1200, {60, 1min, 1}));
  answer = traffic.may_send(kStart);
  EXPECT_EQ(answer.bind, Bind::kRate);
  EXPECT_EQ(answer.not_before, kStart + 1016667us) << "a minute and its guard, over 60";
  traffic.refund(kStart);
  EXPECT_TRUE(traffic.may_send(kStart).yes);
  EXPECT_EQ(traffic.used_in_hour(kStart), 0u);
}

// A server that is busy turns connections away by chance: two of three wait a second, and teach nothing.
TEST(Traffic, SaysWhenOneMayGoAfterOthersThatBeginNow) {
  Traffic traffic(limits_of(100, {60, 1min, 3}));
  EXPECT_TRUE(traffic.may_send_after(2, kStart).yes);
  const Admission rate = traffic.may_send_after(3, kStart);
  EXPECT_EQ(rate.bind, Bind::kRate);
  EXPECT_TRUE(traffic.may_send_after(2, rate.not_before).yes) << "nothing was charged";
  for (int i = 0; i < 3; ++i) traffic.charge(kStart);
  EXPECT_EQ(traffic.may_send(kStart).not_before, rate.not_before) << "as if they had begun";
  EXPECT_EQ(traffic.may_send_after(9, kStart).bind, Bind::kQuota) << "a slice holds 9";
}

TEST(Traffic, OnlyInARowIsAConnectionThatIsTurnedAwayAWishForASlowerPace) {
  PathLimits limits;
  limits.max_connections = 5;
  Traffic traffic(limits);
  Instant now = kStart;
  traffic.connection_opened(kStart);
  for (int i = 0; i < 20; ++i) {
    now += 10s;
    traffic.turned_away(now, now);
    EXPECT_EQ(traffic.slowed_until(), now + 1s) << i;
    if (i % 2 == 1) traffic.accepted(now + 2s, {now + 1s, 0});
  }
  for (int i = 0; i < 6; ++i) {
    now += 10s;
    traffic.turned_away(now, now);
  }
  EXPECT_GT(traffic.slowed_until(), now + 1s);
}

// A limit of messages, or a host that is down: which it is only another visit tells.
TEST(Traffic, ConnectionsThatAreTurnedAwayAreTriedAgainWithinAMinute) {
  Traffic traffic(limits_of(0));
  Instant now = kStart;
  traffic.connection_opened(kStart);
  for (int i = 0; i < 20; ++i) {
    traffic.turned_away(now, now);
    ASSERT_LE(traffic.slowed_until(), now + 1min) << i;
    now = std::max(traffic.slowed_until(), now + 1s);
  }
  EXPECT_GT(now, kStart + 8min);
}

TEST(Traffic, IsDirtyUntilItIsSaved) {
  Traffic traffic(limits_of(12));
  EXPECT_FALSE(traffic.dirty());
  EXPECT_TRUE(traffic.idle(kStart));
  EXPECT_EQ(traffic.save({kStart, kWall}), "") << "nothing to remember";
  traffic.charge(kStart);
  EXPECT_TRUE(traffic.dirty());
  EXPECT_FALSE(traffic.idle(kStart));
  EXPECT_NE(traffic.save({kStart, kWall}), "");
  EXPECT_FALSE(traffic.dirty());
  EXPECT_TRUE(traffic.idle(kStart + 1h + 1s + 1ms));
}

TEST(Traffic, IsSavedAgainWhenItsLimitsChange) {
  Traffic traffic(limits_of(0));
  traffic.charge(kStart);
  (void)traffic.save({kStart, kWall});
  traffic.set(limits_of(0));
  EXPECT_FALSE(traffic.dirty());
  traffic.set(limits_of(60));
  ASSERT_TRUE(traffic.dirty());
  Traffic restored(limits_of(60));
  ASSERT_TRUE(restored.restore(traffic.save({kStart, kWall}), {kStart, kWall}));
  restored.assume_used(kStart, kStart + 2s);
  EXPECT_EQ(restored.used_in_hour(kStart + 2s), 5U) << "a slice, not the hour";
}

TEST(Traffic, SurvivesARestart) {
  const PathLimits limits = limits_of(1200, {100, 1min, 20});
  Traffic traffic(limits);
  Instant now = kStart;
  for (int i = 0; i < 300; ++i) {
    now = traffic.may_send(now).yes ? now : traffic.may_send(now).not_before;
    traffic.charge(now);
    traffic.accepted(now);
  }
  traffic.throttled(now);
  const Moment before{now, kWall};
  const Moment after{Instant(9s), kWall + 1s};
  Traffic restored(limits);
  ASSERT_TRUE(restored.restore(traffic.save(before), after));
  EXPECT_EQ(restored.window(), traffic.window());
  EXPECT_EQ(restored.used_in_hour(after.now), traffic.used_in_hour(now));
  EXPECT_EQ(restored.used_in_slice(after.now), traffic.used_in_slice(now));
  EXPECT_EQ(restored.slowed_until() - after.now, traffic.slowed_until() - now - 1s);
  EXPECT_EQ(restored.connections(), 0u) << "connections end with the process";
}

TEST(Traffic, NoBytesDoHarm) {
  const PathLimits limits = limits_of(100, {100, 1min, 20});
  Traffic traffic(limits);
  for (int i = 0; i < 60; ++i) traffic.charge(kStart + i * 7s);
  traffic.throttled(kStart + 1h);
  const Moment moment{kStart + 1h, kWall};
  const std::string good = traffic.save(moment);
  conf::Random random(7);
  size_t read = 0;
  for (size_t i = 0; i < 20'000; ++i) {
    std::string bad = good;
    if (random.chance(0.2)) bad.resize(random.below(bad.size()));
    for (uint64_t flips = random.below(4); flips > 0 && !bad.empty(); --flips)
      bad[random.below(bad.size())] = static_cast<char>(random.next());
    if (random.chance(0.1)) bad += static_cast<char>(random.next());
    Traffic victim(limits);
    const Instant now{Duration(static_cast<int64_t>(random.below(1'000'000'000'000)))};
    if (victim.restore(bad, {now, kWall})) ++read;
    const Admission answer = victim.may_send(now);
    ASSERT_LE(answer.yes ? now : answer.not_before, now + 2h) << "and nothing is blocked for long";
    victim.charge(now);
    victim.refund(now);
    victim.assume_used(now - 10s, now);
    ASSERT_FALSE(victim.save({now, kWall}).empty());
  }
  EXPECT_GT(read, 100u);
  EXPECT_TRUE(Traffic(limits).restore("", moment));
  EXPECT_FALSE(Traffic(limits).restore("\x7f", moment));
}

TEST(Traffic, AnUnknownTimeCountsAsUsedUp) {
  Traffic traffic(limits_of(1200));
  for (int i = 0; i < 30; ++i) traffic.charge(kStart);
  traffic.assume_used(kStart, kStart + 10s);
  EXPECT_EQ(traffic.used_in_hour(kStart + 10s), 100u) << "the rest of the slice";
  EXPECT_EQ(traffic.may_send(kStart + 10s).not_before, kStart + 5min);
  Traffic two(limits_of(1200));
  two.charge(kStart);
  two.assume_used(kStart + 299s, kStart + 301s);
  EXPECT_EQ(two.used_in_hour(kStart + 301s), 200u) << "the next slice too";
  Traffic slow(limits_of(1200, {60, 1min, 5}));
  slow.assume_used(kStart, kStart + 10s);
  EXPECT_EQ(slow.used_in_hour(kStart + 10s), 14u) << "no more than the rate lets go";
  EXPECT_EQ(slow.may_send(kStart + 10s).not_before, kStart + 10s + 1016667us) << "the burst is gone";
  Traffic free(limits_of(0));
  free.assume_used(kStart, kStart + 10s);
  EXPECT_FALSE(free.dirty()) << "no limit, nothing to use up";
  EXPECT_TRUE(free.may_send(kStart + 10s).yes);
}

// The rule was edited while the relay was down: what nobody counted went under the limits of before.
TEST(Traffic, AnUnknownTimeIsOfTheLimitsOfBefore) {
  const auto after_a_crash = [](const PathLimits& before, const PathLimits& now, int saved) {
    Traffic traffic(before);
    for (int i = 0; i < saved; ++i) traffic.charge(kStart);
    const std::string bytes = traffic.save({kStart, kWall});
    auto restored = std::make_unique<Traffic>(now);
    EXPECT_TRUE(restored->restore(bytes, {kStart, kWall}));
    restored->assume_used(kStart, kStart + 2s);
    return restored;
  };
  constexpr Instant kThen = kStart + 2s;
  EXPECT_EQ(after_a_crash(limits_of(120), limits_of(60), 7)->used_in_hour(kThen), 10U)
      << "the slice of before";
  EXPECT_EQ(after_a_crash(limits_of(120, {60, 1min, 2}), limits_of(6), 9)->used_in_hour(kThen), 10U)
      << "although there is no room for it";
  EXPECT_EQ(after_a_crash(limits_of(0), limits_of(60), 1)->used_in_hour(kThen), 61U)
      << "without a limit any number may have gone";
  const auto slower = after_a_crash(limits_of(1200, {60, 1min, 20}), limits_of(1200, {30, 1min, 1}), 1);
  for (Instant at = kThen; at < kThen + 60s; at = slower->may_send(at).not_before) slower->charge(at);
  EXPECT_EQ(slower->used_in_hour(kThen + 60s), 30U) << "a minute with the burst of before in it";
}

// One path under random limits, loads, refunds and crashes, after which the limits may be others. What is on
// disk is up to two seconds old, and sending goes on after the last write for as long as the lease holds.
class CrashingPath {
 public:
  explicit CrashingPath(uint64_t seed)
      : random_(seed),
        limits_(limits_of(static_cast<uint32_t>(1 + random_.below(seed % 3 == 0 ? 30 : 3000)))) {
    limits_.smooth = random_.chance(0.2);
    if (random_.chance(0.6)) {
      limits_.rate = {1 + random_.below(300),
                      Duration(1'000'000 * (1 + static_cast<int64_t>(random_.below(60)))), 1};
      limits_.rate.burst =
          static_cast<uint32_t>(1 + random_.below(std::min<uint64_t>(limits_.rate.events, 40)));
    }
    start();
  }

  void run(Duration length, uint64_t pace) {
    const conf::WallTime end = kWall + length;
    while (wall_ < end) {
      wall_ += Duration(static_cast<int64_t>(random_.below(pace)));
      if (wall_ - written_ >= 2s && random_.chance(disk_works_ ? 0.9 : 0.05)) write();
      if (random_.chance(0.001)) disk_works_ = !disk_works_;
      if (random_.chance(0.002)) crash();
      if (random_.chance(0.02)) refund();
      send();
    }
  }
  const std::vector<conf::WallTime>& seen() const { return seen_; }  // messages, by the clock of the receiver
  const PathLimits& limits() const { return limits_; }
  void edit_while_down() { edits_ = true; }

 private:
  // Every process has another origin of its clock.
  Instant now() const { return Instant(wall_ - kWall + origin_); }
  Moment moment() const { return {now(), wall_}; }

  void start() {
    origin_ = Duration(static_cast<int64_t>(random_.below(1'000'000'000'000)));
    traffic_ = std::make_unique<Traffic>(limits_);
    ASSERT_TRUE(traffic_->restore(saved_, moment()));
    in_flight_.clear();
    lease_ = Lease();
  }
  void write() {
    saved_ = traffic_->save(moment());
    heartbeat_ = Lease::record(wall_, false);
    written_ = wall_;
    lease_.renewed(now());
  }
  void crash() {
    wall_ += Duration(static_cast<int64_t>(random_.below(random_.chance(0.5) ? 1'000'000 : 30'000'000)));
    if (edits_ && random_.chance(0.5)) {
      limits_.messages_per_hour = static_cast<uint32_t>(1 + random_.below(300));
      if (limits_.rate.events != 0) limits_.rate.events = limits_.rate.burst + random_.below(100);
    }
    start();
    conf::WallTime begin, end;
    if (Lease::gap(heartbeat_, wall_, &begin, &end))
      traffic_->assume_used(moment().to_past(begin), moment().to_past(end));
  }
  void refund() {
    while (!in_flight_.empty() && now() - in_flight_.front().first > Quota::kInFlight) in_flight_.pop_front();
    if (in_flight_.empty()) return;
    const size_t which = random_.below(in_flight_.size());
    traffic_->refund(in_flight_[which].first);
    const auto sent = std::ranges::find(seen_, in_flight_[which].second);
    ASSERT_NE(sent, seen_.end());
    seen_.erase(sent);
    in_flight_.erase(in_flight_.begin() + static_cast<std::ptrdiff_t>(which));
  }
  void send() {
    const Admission answer = traffic_->may_send(now());
    if (!answer.yes) {
      ASSERT_GT(answer.not_before, now());
      if (answer.not_before - now() > 5s || random_.chance(0.3)) return;
      ASSERT_FALSE(traffic_->may_send(answer.not_before - 1us).yes) << "not earlier";
      ASSERT_TRUE(traffic_->may_send(answer.not_before).yes) << "exactly then";
      wall_ += answer.not_before - now();
    }
    if (!lease_.valid(now())) return write();
    traffic_->charge(now());
    seen_.push_back(wall_);
    if (edits_) judge();
    in_flight_.emplace_back(now(), wall_);
    if (in_flight_.size() > 20) in_flight_.pop_front();
  }

  void judge() {
    ASSERT_LE(sent_in(SlidingWindow::reach(1h)), limits_.messages_per_hour);
    if (limits_.rate.events == 0) return;
    ASSERT_LE(sent_in(SlidingWindow::reach(limits_.rate.per)), limits_.rate.events);
  }
  ptrdiff_t sent_in(Duration window) const {
    return seen_.end() - std::ranges::upper_bound(seen_, wall_ - window);
  }

  conf::Random random_;
  bool edits_ = false;
  PathLimits limits_;
  Duration origin_{0};
  conf::WallTime wall_ = kWall;
  conf::WallTime written_ = kWall - 1h;
  bool disk_works_ = true;
  std::unique_ptr<Traffic> traffic_;
  Lease lease_;
  std::string saved_;
  std::string heartbeat_ = Lease::record(kWall, true);
  std::deque<std::pair<Instant, conf::WallTime>> in_flight_;
  std::vector<conf::WallTime> seen_;
};

TEST(Traffic, NoLimitIsBrokenWhateverCrashes) {
  size_t sent = 0;
  for (uint64_t seed = 0; seed < stories(300); ++seed) {
    CrashingPath path(seed);
    conf::Random random(seed + 1'000'000);
    path.run(3h, 1 + random.below(seed % 2 == 0 ? 100'000'000 : 2'000'000));
    ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed;
    sent += path.seen().size();
    ASSERT_LE(most_in(path.seen(), SlidingWindow::reach(1h)), path.limits().messages_per_hour)
        << "seed " << seed;
    if (path.limits().rate.events != 0) {
      const conf::RuleRate& rate = path.limits().rate;
      ASSERT_LE(most_in(path.seen(), SlidingWindow::reach(rate.per)), rate.events) << "seed " << seed;
      ASSERT_LE(most_in(path.seen(), 1us), rate.burst) << "seed " << seed;
    }
  }
  EXPECT_GT(sent, stories(300) * 100);
}

TEST(Traffic, NoLimitIsBrokenWhateverCrashesAndIsEditedMeanwhile) {
  for (uint64_t seed = 0; seed < stories(300); ++seed) {
    CrashingPath path(seed);
    path.edit_while_down();
    path.run(3h, seed % 2 == 0 ? 60'000'000 : 2'000'000);
    ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace mx
