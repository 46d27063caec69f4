// The journal numbers events and hands them on; only feeds that gate removal hold messages back.
#include "relay/journal/journal.h"

#include <gtest/gtest.h>

#include <vector>

namespace relay::journal {
namespace {

class Recorder final : public Feed {
 public:
  explicit Recorder(FeedClass kind) : kind_(kind) {}
  FeedClass feed_class() const override { return kind_; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override {
    numbers.push_back(sequence);
    attempts.push_back(event.attempt);
  }
  uint64_t through() const override { return done; }
  std::vector<uint64_t> numbers;
  std::vector<uint32_t> attempts;
  uint64_t done = 0;

 private:
  FeedClass kind_;
};

conf::DeliveryEvent event(uint32_t attempt) {
  conf::DeliveryEvent made;
  made.attempt = attempt;
  return made;
}

TEST(Journal, NumbersRiseByOneAndEachFeedHearsAll) {
  Journal journal;
  Recorder log(FeedClass::kGatesRemoval), metrics(FeedClass::kBestEffort);
  journal.add(&log);
  journal.add(&metrics);
  EXPECT_EQ(journal.last(), 0U);
  EXPECT_EQ(journal.append(event(7)), 1U);
  EXPECT_EQ(journal.append(event(8)), 2U);
  EXPECT_EQ(log.numbers, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(log.attempts, (std::vector<uint32_t>{7, 8}));
  EXPECT_EQ(metrics.numbers, log.numbers);
  EXPECT_EQ(journal.last(), 2U);
}

TEST(Journal, TheSlowestGatingFeedHoldsRemovalBack) {
  Journal journal;
  Recorder log(FeedClass::kGatesRemoval), other(FeedClass::kGatesRemoval);
  journal.add(&log);
  journal.add(&other);
  for (int i = 0; i < 5; ++i) journal.append(event(1));
  log.done = 5;
  other.done = 2;
  EXPECT_EQ(journal.through(), 2U);
  EXPECT_EQ(journal.waiting(), 3U);
  other.done = 5;
  EXPECT_EQ(journal.through(), 5U);
}

TEST(Journal, ABestEffortFeedHoldsNobodyUp) {
  Journal journal;
  Recorder slow(FeedClass::kBestEffort);
  journal.add(&slow);
  journal.append(event(1));
  EXPECT_EQ(slow.done, 0U);
  EXPECT_EQ(journal.through(), 1U);
  EXPECT_EQ(journal.waiting(), 0U);
}

TEST(Journal, AFeedAddedLaterAnswersOnlyForWhatItTook) {
  Journal journal;
  journal.append(event(1));
  journal.append(event(2));
  Recorder late(FeedClass::kGatesRemoval);
  journal.add(&late);
  EXPECT_EQ(journal.through(), 2U) << "what came before it is not its to write";
  journal.append(event(3));
  EXPECT_EQ(late.numbers, (std::vector<uint64_t>{3}));
  EXPECT_EQ(journal.through(), 2U);
  late.done = 3;
  EXPECT_EQ(journal.through(), 3U);
}

TEST(Journal, AFeedThatIsTakenOutHearsAndHoldsNothing) {
  Journal journal;
  Recorder gone(FeedClass::kGatesRemoval);
  journal.add(&gone);
  journal.append(event(1));
  journal.remove(&gone);
  journal.append(event(2));
  EXPECT_EQ(gone.numbers.size(), 1U);
  EXPECT_EQ(journal.through(), 2U);
}

}  // namespace
}  // namespace relay::journal
