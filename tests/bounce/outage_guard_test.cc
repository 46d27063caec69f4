#include "bounce/outage_guard.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "conf/vocab/random.h"

namespace bounce {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::WallTime;

constexpr WallTime kBegin = WallTime(Duration(1'790'000'000'000'000));
const std::string kSite = "mx.example.net";

// A receiver and a sender, a mail a second.
class Play {
 public:
  explicit Play(uint64_t seed, const conf::OutageGuardSettings& settings = {})
      : guard(settings, 1), random_(seed) {}

  // One mail; true when it was a Hard error that was let through to the quarantine.
  bool mail(bool known, double hard_share) {
    now += 1s;
    if (!random_.chance(hard_share)) {
      guard.delivered(kSite, known, now);
      return false;
    }
    ++refusals;
    const GuardVerdict verdict = guard.hard(kSite, ++address_, known, now);
    if (verdict.declared) ++declared;
    if (!verdict.hold) ++passed;
    return !verdict.hold;
  }
  // `count` mails, a share of them to addresses that took mail before.
  void mails(int count, double known_share, double hard_known, double hard_unknown) {
    for (int i = 0; i < count; ++i) {
      const bool known = random_.chance(known_share);
      mail(known, known ? hard_known : hard_unknown);
    }
  }

  OutageGuard guard;
  WallTime now = kBegin;
  int refusals = 0, passed = 0, declared = 0;

 private:
  conf::Random random_;
  uint64_t address_ = 0;
};

TEST(OutageGuardTest, CatchesASiteThatRefusesEverybodyWithinThirtyRefusals) {
  int worst = 0, most_passed = 0;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    Play play(seed);
    play.mails(2000, 0.9, 0.005, 0.05);
    ASSERT_EQ(play.declared, 0) << "seed " << seed;
    play.refusals = play.passed = 0;
    while (play.declared == 0 && play.refusals < 100) play.mail(true, 1.0);
    worst = std::max(worst, play.refusals);
    most_passed = std::max(most_passed, play.passed);
    ASSERT_NE(play.guard.wave_of(kSite), nullptr);
    play.passed = 0;
    play.mails(500, 0.9, 1.0, 1.0);  // from now on nobody is moved, known or not
    ASSERT_EQ(play.passed, 0) << "seed " << seed;
  }
  std::printf("outage: declared after %d refusals at most, %d of them before the suspicion\n", worst,
              most_passed);
  EXPECT_LE(worst, 30);
  EXPECT_LE(most_passed, 10);
}

TEST(OutageGuardTest, CatchesAWaveInWhichSuccessAndFailureAreMixed) {
  for (const double share : {0.8, 0.5, 0.3}) {
    double refusals = 0;
    int missed = 0;
    for (uint64_t seed = 1; seed <= 500; ++seed) {
      Play play(seed);
      play.mails(2000, 0.9, 0.005, 0.05);
      play.refusals = 0;
      for (int i = 0; i < 2000 && play.declared == 0; ++i) play.mail(true, share);
      missed += play.declared == 0 ? 1 : 0;
      refusals += play.refusals;
    }
    std::printf("outage of %.0f %%: declared after %.1f refusals, %d of 500 missed\n", share * 100,
                refusals / 500, missed);
    EXPECT_EQ(missed, 0);
    EXPECT_LE(refusals / 500, 30);
  }
}

TEST(OutageGuardTest, StaysQuietForAnOldList) {
  for (const double dead : {0.1, 0.3, 0.5, 0.6}) {
    int false_waves = 0;
    for (uint64_t seed = 1; seed <= 200; ++seed) {
      Play play(seed);
      play.mails(3000, 0.9, 0.005, 0.03);
      play.mails(5000, 0.05, 0.01, dead);  // the old list, with a few that we know
      false_waves += play.declared;
    }
    std::printf("old list, %.0f %% dead: %d false waves in 200 mailings of 5000\n", dead * 100, false_waves);
    EXPECT_LE(false_waves, dead < 0.6 ? 0 : 2);
  }
}

TEST(OutageGuardTest, StaysQuietInCalmTimes) {
  for (const double share : {0.005, 0.02, 0.04}) {
    int false_waves = 0;
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      Play play(seed);
      play.mails(20'000, 1.0, share, share);
      false_waves += play.declared;
    }
    std::printf("calm, %.1f %% of good addresses turn: %d false waves in 2,000,000 mails\n", share * 100,
                false_waves);
    EXPECT_LE(false_waves, 2);
  }
}

TEST(OutageGuardTest, WithoutKnownAddressesALongRunAtAGoodSiteIsAWave) {
  Play play(7);
  play.mails(1000, 0, 0, 0.05);
  play.refusals = 0;
  while (play.declared == 0 && play.refusals < 100) play.mail(false, 1.0);
  EXPECT_LE(play.refusals, 30);
  Play dead(8);  // a site that never took anything is a dead domain, not an outage
  dead.mails(500, 0, 0, 1.0);
  EXPECT_EQ(dead.declared, 0);
  EXPECT_EQ(dead.passed, 500);
}

TEST(OutageGuardTest, TheSameAddressAgainProvesNothing) {
  OutageGuard guard({}, 1);
  for (int i = 0; i < 300; ++i) guard.delivered(kSite, true, kBegin);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(guard.hard(kSite, 42, true, kBegin + i * 1s).wave, 0U);
}

TEST(OutageGuardTest, EndsWithDeliveriesOrSilenceAndObeysTheOperator) {
  Play play(3);
  play.mails(1000, 1, 0, 0);
  play.mails(40, 1, 1, 1);
  ASSERT_EQ(play.declared, 1);
  play.mails(300, 1, 0, 0);
  EXPECT_EQ(play.guard.wave_of(kSite), nullptr);
  std::vector<Wave> changed = play.guard.changed(play.now);
  EXPECT_EQ(changed.back().state, WaveState::kEnded);

  play.mails(40, 1, 1, 1);
  ASSERT_EQ(play.declared, 2);
  changed = play.guard.changed(play.now + 7h);
  EXPECT_EQ(changed.back().state, WaveState::kEnded);
  EXPECT_EQ(changed.back().id, 2U);

  play.now += 8h;
  play.mails(40, 1, 1, 1);
  ASSERT_EQ(play.declared, 3);
  EXPECT_TRUE(play.guard.decide(3, false, play.now));  // the errors are true
  play.passed = 0;
  play.mails(100, 1, 1, 1);
  EXPECT_EQ(play.passed, 100);
  EXPECT_FALSE(play.guard.decide(3, true, play.now));
}

TEST(OutageGuardTest, AWordThatIsTakenBackLeavesTheSiteAsItWas) {
  Play play(3);
  play.mails(1000, 1, 0, 0);
  play.mails(40, 1, 1, 1);
  ASSERT_EQ(play.declared, 1);
  const Wave wave = *play.guard.wave_of(kSite);
  ASSERT_TRUE(play.guard.decide(wave.id, false, play.now));
  play.guard.take_back(wave);
  play.passed = 0;
  play.mails(100, 1, 1, 1);
  EXPECT_EQ(play.passed, 0);
  EXPECT_EQ(play.declared, 1) << "it is the same wave";

  ASSERT_TRUE(play.guard.decide(wave.id, true, play.now));
  play.mails(1000, 1, 0, 0);
  play.mails(40, 1, 1, 1);
  ASSERT_EQ(play.declared, 2);
  play.guard.changed(play.now);
  play.guard.take_back(wave);
  EXPECT_EQ(play.guard.wave_of(kSite)->id, 2U);
  const std::vector<Wave> changed = play.guard.changed(play.now);
  ASSERT_FALSE(changed.empty());
  EXPECT_EQ(changed.front().id, wave.id);
  EXPECT_EQ(changed.front().state, WaveState::kEnded);
}

// A large site refuses somebody every hour, also in calm times.
TEST(OutageGuardTest, RefusalsOfUnknownAddressesKeepNoWaveOpen) {
  Play play(3);
  play.mails(1000, 1, 0, 0);
  play.mails(40, 1, 1, 1);
  ASSERT_EQ(play.declared, 1);
  for (int hour = 0; hour < 8; ++hour) {
    play.now += 1h;
    play.mail(false, 1);
  }
  play.guard.changed(play.now);
  EXPECT_EQ(play.guard.wave_of(kSite), nullptr);
}

TEST(OutageGuardTest, ASiteThatWasBelievedIsGuardedAgainWhenItIsCalm) {
  Play play(3);
  play.mails(1000, 1, 0, 0);
  play.mails(40, 1, 1, 1);
  ASSERT_TRUE(play.guard.decide(1, false, play.now));
  play.passed = 0;
  play.mails(300, 1, 0.3, 0.3);  // the errors are true, and go on
  EXPECT_GT(play.passed, 50);
  EXPECT_EQ(play.declared, 1);
  play.mails(3000, 1, 0.005, 0.005);  // an hour in which somebody is refused now and then
  play.mails(40, 1, 1, 1);
  EXPECT_EQ(play.declared, 2);
}

// What was believed of a list of strangers is over with the belief: their mail says nothing again.
TEST(OutageGuardTest, StrangersThatTakeMailHideNoLaterOutage) {
  Play play(3);
  play.mails(1000, 0.5, 0, 0);
  while (play.declared == 0 && play.refusals < 100) play.mail(false, 1.0);
  ASSERT_EQ(play.declared, 1) << "of unknown addresses alone";
  ASSERT_TRUE(play.guard.decide(1, false, play.now));
  play.now += 8h;
  play.refusals = 0;
  while (play.declared == 1 && play.refusals < 100) {
    play.mail(true, 1.0);
    for (int i = 0; i < 10; ++i) play.mail(false, 0);
  }
  EXPECT_LE(play.refusals, 30);
}

TEST(OutageGuardTest, AnOpenWaveOutlivesARestart) {
  Play play(5);
  play.mails(1000, 1, 0, 0);
  play.mails(40, 1, 1, 1);
  OutageGuard again({}, 1);
  for (const auto& [site, history] : play.guard.take_histories()) again.restore(site, history);
  again.restore(*play.guard.wave_of(kSite));
  EXPECT_TRUE(again.hard(kSite, 999'999, false, play.now + 1s).hold);
  EXPECT_EQ(again.hard("other.example", 1, true, play.now).wave, 0U);
}

TEST(OutageGuardTest, OneSiteTooManyTakesThePlaceOfAnotherAndIsGuardedAllTheSame) {
  OutageGuard guard(conf::OutageGuardSettings(), 1);
  const auto name = [](size_t i) { return "mx" + std::to_string(i) + ".test"; };
  for (size_t i = 0; i < OutageGuard::kSites; ++i) guard.restore(name(i), SiteHistory());
  conf::WallTime now{};
  for (size_t i = 0; i < 100; ++i) guard.delivered(name(OutageGuard::kSites + i), true, now);
  EXPECT_EQ(guard.sites(), OutageGuard::kSites);
  EXPECT_EQ(guard.take_histories().size(), 100U) << "those with outcomes, and no others";
  EXPECT_TRUE(guard.take_histories().empty());
  bool held = false;
  for (uint64_t address = 1; address <= 30 && !held; ++address)
    held = guard.hard("new.test", address, true, now).hold;
  EXPECT_TRUE(held);
  EXPECT_EQ(guard.sites(), OutageGuard::kSites);
}

TEST(OutageGuardTest, CanBeSwitchedOff) {
  conf::OutageGuardSettings settings;
  settings.enabled = false;
  Play play(3, settings);
  play.mails(1000, 1, 0, 0);
  play.mails(100, 1, 1, 1);
  EXPECT_EQ(play.passed, 100);
}

}  // namespace
}  // namespace bounce
