#include "mx/limits/threshold.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "conf/vocab/random.h"
#include "mx/limits/probes.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;
using conf::RuleThreshold;
using conf::ThresholdScope;
using Kind = Outcome::Kind;

constexpr Instant kStart{Duration(5'000'000'123)};

Outcome outcome_of(Kind kind, bool sender = false, bool recipient = false) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.sender_scope = sender;
  outcome.recipient_scope = recipient;
  return outcome;
}

RuleThreshold rule_of(uint32_t ppm, uint32_t least) {
  RuleThreshold rule;
  rule.error_rate_ppm = ppm;
  rule.min_messages = least;
  return rule;
}

TEST(Threshold, ARequestForASlowerPaceIsNoSample) {
  for (const ThresholdScope scope : {ThresholdScope::kAny, ThresholdScope::kSender}) {
    RuleThreshold rule = rule_of(500'000, 10);
    rule.scope = scope;
    Threshold threshold(rule);
    Outcome slower = outcome_of(Kind::kSoft, true);
    slower.throttling = true;
    for (int i = 0; i < 1000; ++i) threshold.count(slower, kStart);
    EXPECT_EQ(threshold.messages(), 0U);
    EXPECT_FALSE(threshold.trips(10));
    slower.kind = Kind::kHard;  // the mail is lost all the same
    for (int i = 0; i < 10; ++i) threshold.count(slower, kStart);
    EXPECT_TRUE(threshold.trips(10));
  }
}

TEST(Threshold, TripsExactlyAtTheShareAndTheSample) {
  struct Case {
    uint32_t ppm, least;
    int accepted, hard, soft, ignored;
    bool trips;
  };
  const Case cases[] = {
      {900'000, 300, 0, 299, 0, 0, false},     // all of them errors, and one too few
      {900'000, 300, 0, 300, 0, 0, true},      //
      {900'000, 300, 30, 270, 0, 0, true},     // 90 % of 300
      {900'000, 300, 31, 269, 0, 0, false},    // 89.67 %
      {900'000, 300, 101, 899, 0, 0, false},   // 89.9 %
      {900'000, 300, 100, 900, 0, 0, true},    //
      {900'000, 300, 100, 450, 450, 0, true},  // hard and soft
      {900'000, 300, 0, 299, 0, 1000, false},  // ignored ones are no sample
      {900'000, 300, 30, 270, 0, 1000, true},  // and do not thin it
      {333'333, 3, 2, 1, 0, 0, true},          // a third is 333'333.3 parts
      {333'334, 3, 2, 1, 0, 0, false},         //
      {1'000'000, 10, 1, 999, 0, 0, false},    // all or nothing
      {1'000'000, 10, 0, 10, 0, 0, true},      //
      {1, 1, 999'999, 1, 0, 0, true},          // one of a million
      {1, 1, 1'000'000, 1, 0, 0, false},       // one of a million and one
  };
  for (const Case& c : cases) {
    Threshold threshold(rule_of(c.ppm, c.least));
    for (int i = 0; i < c.accepted; ++i) threshold.count(outcome_of(Kind::kAccepted), kStart);
    for (int i = 0; i < c.hard; ++i) threshold.count(outcome_of(Kind::kHard), kStart);
    for (int i = 0; i < c.soft; ++i) threshold.count(outcome_of(Kind::kSoft), kStart);
    for (int i = 0; i < c.ignored; ++i) threshold.count(outcome_of(Kind::kIgnored), kStart);
    EXPECT_EQ(threshold.trips(c.least), c.trips)
        << c.ppm << " " << c.accepted << " " << c.hard << " " << c.soft;
    EXPECT_EQ(threshold.messages(), static_cast<uint64_t>(c.accepted + c.hard + c.soft));
  }
}

TEST(Threshold, CountsTheErrorsThatItIsTold) {
  struct Case {
    bool hard, soft;
    ThresholdScope scope;
    Outcome outcome;
    bool error;
  };
  const Case cases[] = {
      {true, true, ThresholdScope::kAny, outcome_of(Kind::kAccepted), false},
      {true, true, ThresholdScope::kAny, outcome_of(Kind::kHard), true},
      {true, true, ThresholdScope::kAny, outcome_of(Kind::kSoft), true},
      {true, true, ThresholdScope::kAny, outcome_of(Kind::kIgnored, true, true), false},
      {true, false, ThresholdScope::kAny, outcome_of(Kind::kSoft), false},
      {false, true, ThresholdScope::kAny, outcome_of(Kind::kHard), false},
      {true, true, ThresholdScope::kSender, outcome_of(Kind::kHard, true), true},
      {true, true, ThresholdScope::kSender, outcome_of(Kind::kHard, false, true), false},
      {true, true, ThresholdScope::kSender, outcome_of(Kind::kHard), false},
      {true, true, ThresholdScope::kRecipient, outcome_of(Kind::kHard, false, true), true},
      {true, true, ThresholdScope::kRecipient, outcome_of(Kind::kSoft, true), false},
      {true, false, ThresholdScope::kRecipient, outcome_of(Kind::kSoft, false, true), false},
  };
  for (const Case& c : cases) {
    RuleThreshold rule;
    rule.count_hard = c.hard;
    rule.count_soft = c.soft;
    rule.scope = c.scope;
    EXPECT_EQ(Threshold(rule).is_error(c.outcome), c.error) << (&c - cases);
  }
}

TEST(Threshold, CountsTheReasonsThatItNames) {
  RuleThreshold rule;
  rule.reasons = {conf::Reason::kRefused, conf::Reason::kUnreachable};
  Outcome outcome = outcome_of(Kind::kSoft);
  outcome.reason = conf::Reason::kRefused;
  EXPECT_TRUE(Threshold(rule).is_error(outcome));
  outcome.reason = conf::Reason::kMailboxFull;
  EXPECT_FALSE(Threshold(rule).is_error(outcome));
  rule.reasons.clear();
  EXPECT_TRUE(Threshold(rule).is_error(outcome));
}

// Never counts what is older than the window; forgets nothing that is younger than 63 of its 64 parts.
TEST(Threshold, TheWindowSlides) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    conf::Random random(seed);
    RuleThreshold rule = rule_of(900'000, 300);
    rule.window = Duration(1'000'000 + static_cast<int64_t>(random.below(4'000'000'000)));
    Threshold threshold(rule);
    std::deque<std::pair<Instant, bool>> truth;
    Instant now = kStart;
    for (int i = 0; i < 400; ++i) {
      now += Duration(static_cast<int64_t>(random.below(static_cast<uint64_t>(rule.window.count()) / 50)));
      if (random.chance(0.01)) now += rule.window * static_cast<int64_t>(random.below(3));
      const bool error = random.chance(0.5);
      threshold.count(outcome_of(error ? Kind::kHard : Kind::kAccepted), now);
      truth.emplace_back(now, error);
      while (truth.front().first <= now - rule.window) truth.pop_front();
      uint64_t least = 0, least_errors = 0, errors = 0;
      for (const auto& [at, bad] : truth) {
        errors += bad ? 1 : 0;
        if (at <= now - rule.window * 63 / 64) continue;
        ++least;
        least_errors += bad ? 1 : 0;
      }
      ASSERT_LE(threshold.messages(), truth.size()) << seed;
      ASSERT_GE(threshold.messages(), least) << seed;
      ASSERT_LE(threshold.errors(), errors) << seed;
      ASSERT_GE(threshold.errors(), least_errors) << seed;
      ASSERT_EQ(threshold.counts(now).messages, threshold.messages());
    }
    const Instant later = now + rule.window - rule.window / 64;
    EXPECT_GE(threshold.counts(later - 1us).messages, 1u);
    EXPECT_EQ(threshold.counts(now + rule.window).messages, 0u);
  }
}

TEST(Threshold, ASlotHoldsMoreThanSixteenBits) {
  Threshold threshold(rule_of(500'000, 300));
  for (int i = 0; i < 70'000; ++i) threshold.count(outcome_of(Kind::kHard), kStart);
  for (int i = 0; i < 140'000; ++i) threshold.count(outcome_of(Kind::kAccepted), kStart + 59min);
  EXPECT_EQ(threshold.messages(), 210'000u);
  EXPECT_EQ(threshold.errors(), 70'000u);
  threshold.count(outcome_of(Kind::kAccepted), kStart + 1h);
  EXPECT_EQ(threshold.messages(), 140'001u);
  EXPECT_EQ(threshold.errors(), 0u);
}

TEST(Threshold, AnotherWindowKeepsWhatFitsIt) {
  RuleThreshold rule;
  Threshold threshold(rule);
  for (int minute = 0; minute < 60; ++minute)
    threshold.count(outcome_of(Kind::kHard), kStart + minute * 1min);
  rule.window = 10min;
  threshold.set(rule);
  const uint64_t kept = threshold.counts(kStart + 59min).messages;
  EXPECT_GE(kept, 9u);
  EXPECT_LE(kept, 10u);
  rule.scope = ThresholdScope::kSender;  // other errors: the sample says nothing of them
  threshold.set(rule);
  EXPECT_EQ(threshold.messages(), 0u);
}

TEST(Threshold, TheSampleOutlivesTheProcess) {
  Threshold threshold{RuleThreshold{}};
  conf::Random random(3);
  Instant now = kStart;
  for (int i = 0; i < 5000; ++i) {
    now += Duration(static_cast<int64_t>(random.below(1'500'000)));
    threshold.count(outcome_of(random.chance(0.3) ? Kind::kSoft : Kind::kAccepted), now);
  }
  const Moment before{now, conf::WallTime(Duration(1'800'000'000'000'000))};
  std::string bytes;
  SavedWriter out(&bytes, before);
  threshold.save(&out);
  const Duration shift = -3'000'000'077us;  // the clock of the new process
  const Moment after{now + shift, before.wall};
  Threshold restored{RuleThreshold{}};
  SavedReader in(bytes, after);
  ASSERT_TRUE(restored.restore(&in));
  EXPECT_TRUE(in.ended());
  for (Duration later{0}; later < 2h; later += 7s) {
    ASSERT_EQ(restored.counts(now + shift + later).messages, threshold.counts(now + later).messages);
    ASSERT_EQ(restored.counts(now + shift + later).errors, threshold.counts(now + later).errors);
  }
}

TEST(Probes, AVerdictFallsAsSoonAsItIsCertain) {
  struct Case {
    uint32_t ppm, probes;
    const char* replies;  // g: accepted, b: refused, i: ignored, -: no answer
    Probes::Verdict verdict;
  };
  constexpr auto kUndecided = Probes::Verdict::kUndecided;
  constexpr auto kPassed = Probes::Verdict::kPassed;
  constexpr auto kFailed = Probes::Verdict::kFailed;
  const Case cases[] = {
      {900'000, 5, "", kUndecided},
      {900'000, 5, "bbbb", kUndecided},
      {900'000, 5, "bbbbb", kFailed},
      {900'000, 5, "g", kPassed},
      {900'000, 5, "bbbbg", kPassed},
      {900'000, 5, "i", kUndecided},
      {900'000, 5, "iiiii", Probes::Verdict::kUnjudged},
      {900'000, 5, "iig", kPassed},
      {900'000, 5, "iibbb", kFailed},
      {900'000, 5, "-----", kUndecided},
      {500'000, 4, "b", kUndecided},
      {500'000, 4, "bb", kFailed},
      {500'000, 4, "gg", kUndecided},
      {500'000, 4, "ggg", kPassed},
      {500'000, 4, "gbgb", kFailed},
      {1'000'000, 1, "b", kFailed},
      {1'000'000, 1, "g", kPassed},
      {1, 3, "b", kFailed},
      {1, 3, "gg", kUndecided},
      {1, 3, "ggg", kPassed},
      {900'000, 5, "bbbb-b", kFailed},
  };
  for (const Case& c : cases) {
    RuleThreshold rule = rule_of(c.ppm, 300);
    rule.probes = c.probes;
    const Threshold threshold(rule);
    Probes probes;
    for (const char* reply = c.replies; *reply != '\0'; ++reply) {
      ASSERT_TRUE(probes.may_begin(c.probes)) << c.replies;
      const uint32_t number = probes.begin();
      if (*reply == 'g') probes.outcome(number, outcome_of(Kind::kAccepted), threshold);
      if (*reply == 'b') probes.outcome(number, outcome_of(Kind::kHard), threshold);
      if (*reply == 'i') probes.outcome(number, outcome_of(Kind::kIgnored), threshold);
      probes.ended(number, *reply != '-', threshold);
    }
    EXPECT_EQ(probes.verdict(threshold, c.probes), c.verdict) << c.ppm << " " << c.probes << " " << c.replies;
  }
}

// 5 recipients of one probe are one probe; it is bad when the share of errors among them reaches the rate.
TEST(Probes, OneOfManyRecipientsIsOneProbe) {
  const Threshold threshold(rule_of(900'000, 300));
  for (const int refused : {8, 9}) {
    Probes probes;
    const uint32_t number = probes.begin();
    for (int i = 0; i < 10; ++i)
      probes.outcome(number, outcome_of(i < refused ? Kind::kHard : Kind::kAccepted), threshold);
    EXPECT_EQ(probes.judged(), 0u);
    probes.ended(number, true, threshold);
    EXPECT_EQ(probes.judged(), 1u);
    EXPECT_EQ(probes.bad(), refused == 9 ? 1u : 0u);
  }
}

}  // namespace
}  // namespace mx
