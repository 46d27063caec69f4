// The census of a queue whose names are never answered: all of its mail waits for DNS, or is held.
#include "relay/desk/census_taker.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

using admin::WaitingState;
using CensusPtr = std::shared_ptr<const admin::Census>;

class CensusTakerTest : public WalkRig {
 protected:
  CensusTakerTest() {
    names_.slow = true;
    start();
    taker_ = std::make_unique<CensusTaker>(
        transit_.get(),
        [](const queue::DomainEntry&, const conf::Source&, const std::string&) { return conf::Instant{}; });
  }
  void ask(const std::string& domain, CensusPtr* answer) {
    taker_->take(domain, [answer](CensusPtr census) { *answer = std::move(census); });
  }
  size_t steps_until(const CensusPtr& answer) {
    size_t steps = 0;
    for (; answer == nullptr && steps < 1000; ++steps) taker_->step(clock_.time);
    return steps;
  }
  static uint64_t count(const admin::Census& census, const std::string& domain) {
    uint64_t sum = 0;
    for (const auto& [key, cell] : census.cells)
      sum += census.domains[key.domain].name == domain ? cell.count : 0;
    return sum;
  }

  std::unique_ptr<CensusTaker> taker_;
};

TEST_F(CensusTakerTest, CountsMailByItsStream) {
  conf::Stream stream;
  stream.name = "newsletter";
  stream.sources = conf::SourceSet::parse("1").value();
  stream.senders = {"news.test"};
  config_->sources[0].id = 1;
  config_->streams = {stream};
  start();
  taker_ = std::make_unique<CensusTaker>(transit_.get(), [](const queue::DomainEntry&, const conf::Source&,
                                                            const std::string&) { return conf::Instant{}; });
  submit({"a@one.test"}, "shop@news.test");
  submit({"b@one.test", "c@two.test"}, "shop@other.test");
  CensusPtr census;
  ask("", &census);
  steps_until(census);
  ASSERT_NE(census, nullptr);
  std::map<std::string, uint64_t> counts;
  for (const auto& [key, cell] : census->cells) counts[census->streams[key.stream]] += cell.count;
  EXPECT_EQ(counts, (std::map<std::string, uint64_t>{{"", 2}, {"newsletter", 1}}));
}

TEST_F(CensusTakerTest, CountsEachDeliveryByItsDomainAndKeepsTheOldest) {
  const conf::MessageId first = submit({"a@one.test", "b@one.test", "c@two.test"});
  submit({"d@one.test"});
  CensusPtr census;
  ask("", &census);
  steps_until(census);
  ASSERT_NE(census, nullptr);
  EXPECT_EQ(count(*census, "one.test"), 2U) << "deliveries, not recipients";
  EXPECT_EQ(count(*census, "two.test"), 1U);
  for (const auto& [key, cell] : census->cells) {
    EXPECT_EQ(key.state, WaitingState::kRouting);
    EXPECT_EQ(cell.oldest, first);
    EXPECT_EQ(census->domains[key.domain].site, census->domains[key.domain].name) << "it has no route yet";
  }
  EXPECT_FALSE(taker_->under_way());
}

TEST_F(CensusTakerTest, AQuestionForADomainCountsNothingElse) {
  submit({"a@one.test", "c@two.test"});
  CensusPtr one, nobody;
  ask("one.test", &one);
  ask("nobody.test", &nobody);
  steps_until(nobody);
  ASSERT_NE(one, nullptr);
  ASSERT_NE(nobody, nullptr);
  EXPECT_EQ(one->domains.size(), 1U);
  EXPECT_EQ(count(*one, "one.test"), 1U);
  EXPECT_TRUE(nobody->cells.empty());
}

TEST_F(CensusTakerTest, ARoundTakesManyStepsAndCountsNothingTwice) {
  constexpr size_t kMail = 9000;
  for (size_t i = 0; i < kMail; ++i) submit({"a@one.test"});
  CensusPtr census;
  ask("", &census);
  taker_->step(clock_.time);
  EXPECT_EQ(census, nullptr) << "a step is bounded";
  for (size_t i = 0; i < 500; ++i) submit({"late@two.test"});  // counted or not, where they stand
  EXPECT_GE(steps_until(census), 2U);
  ASSERT_NE(census, nullptr);
  EXPECT_EQ(count(*census, "one.test"), kMail);
  EXPECT_LE(count(*census, "two.test"), 500U);
}

TEST_F(CensusTakerTest, EachQuestionHasARoundOfItsOwn) {
  submit({"a@one.test"});
  CensusPtr before, after;
  taker_->take("", [&](CensusPtr census) {
    before = std::move(census);
    submit({"b@one.test"});
  });
  ask("", &after);
  steps_until(after);
  ASSERT_NE(before, nullptr);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(count(*before, "one.test"), 1U);
  EXPECT_EQ(count(*after, "one.test"), 2U) << "it was asked before that mail came, and answered later";
}

}  // namespace
}  // namespace relay
