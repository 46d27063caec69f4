// The census of a queue whose names are never answered: all of its mail waits for DNS, or is held.
#include "relay/desk/census_taker.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/spool/memory_spool.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using admin::WaitingState;
using CensusPtr = std::shared_ptr<const admin::Census>;

class CensusClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return conf::Instant{1h}; }
  conf::WallTime wall() const override { return conf::WallTime(1'790'000'000s); }
};

class SilentNames final : public mx::Resolver {
 public:
  void query(std::string_view, mx::RecordType, Done done) override { asked.push_back(std::move(done)); }
  std::vector<Done> asked;
};

class UnusedNetwork final : public Network {
 public:
  std::unique_ptr<Transport> connect(const ConnectTarget&, TransportUser*) override { return nullptr; }
};

class CensusTakerTest : public testing::Test {
 protected:
  CensusTakerTest() {
    config_->hostname = "relay.test";
    config_->sources.resize(1);
    config_->sources[0].name = "default";
    TransitParts parts;
    parts.config = config_;
    parts.spool = &spool_;
    parts.journal = &journal_;
    parts.resolver = &names_;
    parts.network = &network_;
    parts.clock = &clock_;
    parts.random = &random_;
    transit_ = std::make_unique<Transit>(std::move(parts));
    taker_ = std::make_unique<CensusTaker>(transit_.get());
  }
  conf::MessageId submit(const std::vector<std::string>& recipients) {
    spool::MessageRecord record;
    record.id = transit_->next_id();
    for (const std::string& each : recipients)
      record.recipients.push_back({{conf::Mailbox::parse(each).value()}});
    const conf::MessageId id = record.id;
    transit_->accept(std::move(record), conf::Bytes("x\r\n"), [](const conf::Result<spool::Receipt>&) {});
    return id;
  }
  void settle() {
    while (spool_.run_batch() > 0) transit_->step(clock_.now());
    transit_->step(clock_.now());
  }
  void ask(const std::string& domain, CensusPtr* answer) {
    taker_->take(domain, [answer](CensusPtr census) { *answer = std::move(census); });
  }
  size_t steps_until(const CensusPtr& answer) {
    size_t steps = 0;
    for (; answer == nullptr && steps < 1000; ++steps) taker_->step(clock_.now());
    return steps;
  }
  static uint64_t count(const admin::Census& census, const std::string& domain) {
    uint64_t sum = 0;
    for (const auto& [key, cell] : census.cells)
      sum += census.domains[key.domain].name == domain ? cell.count : 0;
    return sum;
  }

  CensusClock clock_;
  conf::Random random_{1};
  std::shared_ptr<conf::Config> config_ = std::make_shared<conf::Config>();
  spool::MemorySpool spool_;
  journal::Journal journal_;
  SilentNames names_;
  UnusedNetwork network_;
  std::unique_ptr<Transit> transit_;
  std::unique_ptr<CensusTaker> taker_;
};

TEST_F(CensusTakerTest, CountsEachDeliveryByItsDomainAndKeepsTheOldest) {
  const conf::MessageId first = submit({"a@one.test", "b@one.test", "c@two.test"});
  submit({"d@one.test"});
  settle();
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
  settle();
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
  settle();
  CensusPtr census;
  ask("", &census);
  taker_->step(clock_.now());
  EXPECT_EQ(census, nullptr) << "a step is bounded";
  for (size_t i = 0; i < 500; ++i) submit({"late@two.test"});  // counted or not, where they stand
  settle();
  EXPECT_GE(steps_until(census), 2U);
  ASSERT_NE(census, nullptr);
  EXPECT_EQ(count(*census, "one.test"), kMail);
  EXPECT_LE(count(*census, "two.test"), 500U);
}

TEST_F(CensusTakerTest, EachQuestionHasARoundOfItsOwn) {
  submit({"a@one.test"});
  settle();
  CensusPtr before, after;
  taker_->take("", [&](CensusPtr census) {
    before = std::move(census);
    submit({"b@one.test"});
    settle();
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
