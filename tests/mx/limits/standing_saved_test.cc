// What is saved of a Standing: a restart at any moment changes nothing, and any bytes are read safely.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "conf/vocab/random.h"
#include "mx/limits/evidence.h"
#include "mx/limits/saved.h"
#include "tests/mx/limits/standing_rig.h"

namespace mx {
namespace {

TEST(Standing, HowLongErrorsHaveGoneOnSurvivesARestartAndAnotherWindow) {
  conf::RuleThreshold rule;
  rule.min_duration = 10min;
  Standing before(limits_with({rule}));
  send_many(before, 300, Kind::kHard, kStart);
  const std::string bytes = before.save({kStart + 1min, conf::WallTime{1h}});
  rule.window = 2h;
  Standing after(limits_with({rule}));
  ASSERT_TRUE(after.restore(bytes, {kStart + 1min, conf::WallTime{1h}}));
  send(after, Kind::kHard, kStart + 10min - 1s);
  EXPECT_EQ(after.state(), State::kOpen);
  send(after, Kind::kHard, kStart + 10min);
  EXPECT_EQ(after.state(), State::kBlocked);
}

// Orders are kept by themselves now; what stood beside one in an older file is read, and the order is not.
TEST(Standing, WhatWasSavedWithAnOrderIsReadWithoutIt) {
  const Moment moment{kStart, conf::WallTime{1h}};
  for (const uint64_t version : {1, 2, 3}) {
    for (const bool ordered : {false, true}) {
      std::string bytes;
      SavedWriter out(&bytes, moment);
      out.number(version);
      out.number(static_cast<uint8_t>(State::kBlocked));
      for (const uint64_t number : {0, 2, ordered ? 1 : 0})
        out.number(number);  // cause, doublings, the order
      out.instant(kStart + 1h);
      out.instant(kStart - 1h);
      if (version > 1) out.instant(kStart + 10h);  // the end of the order
      if (version > 1) out.length(2h);
      out.number(0);  // thresholds
      Evidence().save(&out);
      for (int none = 0; none < 2; ++none) out.number(0);                 // a learned rate, a ladder
      for (int none = 0; none < 2 && version > 2; ++none) out.number(0);  // early probes
      Standing standing(general());
      ASSERT_TRUE(standing.restore(bytes, moment)) << version;
      const bool blocked = version > 1 || !ordered;  // the first knew one end for both
      EXPECT_EQ(standing.state(), blocked ? State::kBlocked : State::kOpen) << version;
      EXPECT_EQ(standing.blocked_until(), blocked ? kStart + 1h : Instant{}) << version;
    }
  }
}

// A site with a mind of its own, and mail that is sent whenever it may. `restarts`: at these steps the
// process ends, and another one with another clock goes on from what was saved.
struct Story {
  conf::Random random;
  PathLimits limits;
  std::unique_ptr<Standing> standing;
  Duration shift{0};  // of the monotonic clock since the last restart
  Instant now = kStart;
  struct Flying {
    Standing::Attempt attempt;
    uint32_t block;
  };
  std::vector<Flying> flying;
  double refusing = 0.05;
  std::vector<std::string> told;
  uint32_t blocks = 0;
  uint32_t probes = 0;  // in flight and judged, of this block

  explicit Story(uint64_t seed) : random(seed) {
    conf::RuleThreshold hourly, quick;
    hourly.min_messages = 40;
    hourly.probes = 1 + static_cast<uint32_t>(random.below(8));
    hourly.error_rate_ppm = 300'000 + static_cast<uint32_t>(random.below(700'000));
    hourly.block = 10min;
    hourly.max_block = 2h;
    quick = hourly;
    quick.window = 5min;
    quick.scope = conf::ThresholdScope::kSender;
    limits.thresholds = {hourly, quick};
    limits.adaptive = random.chance(0.5) ? conf::AdaptiveMode::kOn : conf::AdaptiveMode::kAdvise;
    limits.adaptive_min_per_hour = 60;
    limits.adaptive_max_per_hour = 3'600;
    if (random.chance(0.5)) limits.warmup = {500, 1'000, 2'000};
    standing = std::make_unique<Standing>(limits);
  }
  Instant clock() const { return now + shift; }
  Moment moment() const {
    return {clock(), conf::WallTime(Duration(1'800'000'000'000'000)) + (now - kStart)};
  }
  void tell(std::string what) {
    told.push_back(std::to_string((now - kStart).count()) + " " + to_text(standing->state()) + " " + what);
  }

  void finish(size_t place, bool answered) {
    const auto [attempt, block] = flying[place];
    flying.erase(flying.begin() + static_cast<ptrdiff_t>(place));
    if (answered) {
      Outcome outcome = outcome_of(Kind::kAccepted);
      if (random.chance(refusing)) {
        const double kind = random.unit();
        outcome = outcome_of(kind < 0.4 ? Kind::kHard : kind < 0.9 ? Kind::kSoft : Kind::kIgnored, "4xx");
        outcome.sender_scope = random.chance(0.7);
        outcome.throttling = outcome.sender_scope && random.chance(0.3);
      }
      standing->outcome(attempt, outcome, clock());
    }
    standing->ended(attempt, answered, clock());
    if (attempt.probe && !answered && block == blocks) --probes;
  }

  void step(bool restart) {
    now += Duration(static_cast<int64_t>(random.below(8'000)) * 1000);
    if (random.chance(0.004)) now += Duration(static_cast<int64_t>(random.below(7'200'000)) * 1000);
    if (random.chance(0.01)) refusing = random.chance(0.5) ? 0.95 : 0.02;
    if (random.chance(0.003)) {  // a restart, or all connections are lost: in both stories
      while (!flying.empty()) finish(0, false);
      hear();  // decisions are written down as they fall
      if (restart) {
        const std::string saved = standing->save(moment());
        shift = static_cast<int64_t>(told.size() % 7) * 1000h - 2000h;
        standing = std::make_unique<Standing>(limits);
        ASSERT_TRUE(standing->restore(saved, moment()));
      } else {
        standing->save(moment());
      }
    }
    if (!flying.empty() && random.chance(0.5)) finish(random.below(flying.size()), random.chance(0.95));
    const Admission admission = standing->may_send(clock());
    tell(std::to_string(admission.yes) + " " + std::to_string(static_cast<int>(admission.bind)) + " " +
         (admission.not_before == conf::kNever || admission.yes
              ? "-"
              : std::to_string((admission.not_before - shift - kStart).count())));
    if (admission.yes && flying.size() < 10) begin();
    hear();
  }
  void hear() {
    for (const Decision& decision : standing->take_decisions()) {
      if (decision.action == Action::kBlock) {
        ++blocks;
        probes = 0;
      }
      tell(std::string(to_text(decision.action)) + " " + decision.by + ": " + decision.text);
    }
  }
  void begin() {
    const bool probing = standing->state() == State::kProbing;
    ASSERT_NE(standing->state(), State::kBlocked);
    flying.push_back({standing->began(clock()), blocks});
    ASSERT_EQ(flying.back().attempt.probe, probing);
    if (probing) {
      ASSERT_LE(++probes, limits.thresholds[0].probes);
    }
  }
};

TEST(Standing, ARestartChangesNothing) {
  size_t blocks = 0, ramps = 0, opens = 0, learned = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Story through(seed), again(seed);
    for (int i = 0; i < 4'000; ++i) {
      through.step(false);
      again.step(true);
      ASSERT_EQ(through.told.size(), again.told.size()) << seed;
      ASSERT_EQ(through.told.back(), again.told.back()) << seed;
    }
    ASSERT_EQ(through.told, again.told) << seed;
    for (const std::string& line : through.told) {
      blocks += line.find("block threshold") != std::string::npos ? 1 : 0;
      ramps += line.find("ramp probes") != std::string::npos ? 1 : 0;
      opens += line.find("open ramp:") != std::string::npos ? 1 : 0;
      learned += line.find("adaptive:") != std::string::npos ? 1 : 0;
    }
  }
  EXPECT_GT(blocks, 100u);  // the stories are about something
  EXPECT_GT(ramps, 100u);
  EXPECT_GT(opens, 100u);
  EXPECT_GT(learned, 100u);
}

// In every state: no just before `not_before`, and yes then. Where rate and ladder bind beside the state, the
// end of a period may take away by then what the first answer counted on: asking again leads there.
TEST(Standing, NotBeforeIsExact) {
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    Story story(seed);
    const bool learning = seed % 2 == 0;
    if (!learning) {
      story.limits.adaptive = conf::AdaptiveMode::kOff;
      story.limits.warmup.clear();
      story.standing->set(story.limits);
    }
    for (int i = 0; i < 3'000; ++i) {
      story.step(false);
      if (!story.random.chance(0.2)) continue;
      Admission no = story.standing->may_send(story.now);
      int asked = 0;
      for (; !no.yes && no.not_before != conf::kNever; ++asked) {
        ASSERT_LT(asked, learning ? 4 : 1) << seed;
        ASSERT_GT(no.not_before, story.now);
        story.now = no.not_before - 1us;
        ASSERT_FALSE(story.standing->may_send(story.now).yes) << seed;
        story.now = no.not_before;
        no = story.standing->may_send(story.now);
      }
    }
  }
}

// After a crash nobody knows what went: rate, ladder and ramp count as used.
TEST(Standing, AGapCountsAsUsed) {
  PathLimits limits = general();
  limits.adaptive = conf::AdaptiveMode::kOn;
  limits.adaptive_min_per_hour = limits.adaptive_max_per_hour = 1'200;
  Standing standing(limits);
  ASSERT_TRUE(standing.may_send(kStart).yes);
  standing.assume_used(kStart - 3s, kStart);
  EXPECT_EQ(standing.may_send(kStart).bind, Bind::kAdaptive);
  limits.adaptive = conf::AdaptiveMode::kOff;
  limits.warmup = {240};
  Standing fresh(limits);
  fresh.assume_used(kStart - 3s, kStart);
  EXPECT_EQ(fresh.may_send(kStart).bind, Bind::kWarmUp);
  EXPECT_EQ(fresh.ladder(kStart).used, 20u);  // a twelfth: more cannot have gone
  EXPECT_EQ(fresh.ladder(kStart).per_day, 240u);
}

TEST(Standing, AnyBytesAreReadSafely) {
  const Moment moment{kStart, conf::WallTime(Duration(1'800'000'000'000'000))};
  Story story(5);
  for (int i = 0; i < 500; ++i) story.step(false);
  const std::string good = story.standing->save(story.moment());
  ASSERT_FALSE(good.empty());
  conf::Random random(9);
  size_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = good;
    for (uint64_t k = random.below(4); k-- > 0;)
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    if (random.chance(0.2)) bytes.resize(random.below(bytes.size()));
    if (random.chance(0.1)) {
      for (char& byte : bytes) byte = static_cast<char>(random.next());
    }
    Standing standing(story.limits);
    const bool ok = standing.restore(bytes, moment);
    read += ok ? 1 : 0;
    if (!ok) {
      EXPECT_EQ(standing.save(moment), "");  // as new
    }
    Instant now = kStart;
    for (int k = 0; k < 3; ++k, now += 5h) {
      if (standing.may_send(now).yes) send(standing, Kind::kHard, now);
      standing.samples(now);
      standing.ladder(now);
      standing.save({now, moment.wall + (now - kStart)});
    }
  }
  EXPECT_GT(read, 1'000u);
}

// After a restart people ask why, too.
TEST(Standing, WhatLedToABlockIsKeptWithIt) {
  Standing before(general());
  send_many(before, 300, Kind::kHard, kStart);
  const std::vector<Decision> told = before.take_decisions();
  ASSERT_EQ(told.size(), 1U);
  const conf::WallTime wall = conf::from_unix_micros(1'790'000'000'000'000);
  const std::string saved = before.save({kStart + 1min, wall});
  Standing after(general());
  ASSERT_TRUE(after.restore(saved, {Instant(10s), wall + 2min}));
  const BlockReason* why = after.why_blocked();
  ASSERT_NE(why, nullptr);
  EXPECT_EQ(why->at, Instant(10s) - 3min);
  EXPECT_EQ(why->decision.by, "threshold 1");
  EXPECT_EQ(why->decision.messages, 300U);
  EXPECT_EQ(why->decision.errors, 300U);
  EXPECT_EQ(why->decision.text, told[0].text);
  EXPECT_EQ(why->decision.samples, told[0].samples);
  EXPECT_EQ(why->decision.until, after.blocked_until());
  after.unblock(Instant(11s));
  EXPECT_EQ(after.why_blocked(), nullptr);
  EXPECT_TRUE(after.restore(after.save({Instant(11s), wall}), {Instant(11s), wall}));
}

}  // namespace
}  // namespace mx
