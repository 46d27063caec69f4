// The survey keeps only as many sites as are shown, in rounds of bounded steps.
#include "relay/desk/survey.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "relay/queue/delivery_store.h"
#include "relay/spool/memory_spool.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class StillClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return conf::Instant{1h}; }
  conf::WallTime wall() const override { return conf::WallTime(1'790'000'000s); }
};

class NoNetwork final : public Network {
 public:
  std::unique_ptr<Transport> connect(const ConnectTarget&, TransportUser*) override { return nullptr; }
};

class Nobody final : public DispatcherUser {
 public:
  Answer next_errand(queue::Delivery*, const queue::Path&, const ErrandTerms&, Errand*, Later) override {
    return Answer::kNone;
  }
  bool report(queue::Delivery*, Report) override { return false; }
  void reroute(queue::Path* /*path*/) override {}
  void waits_long(queue::Delivery*, const queue::PathError&, const AttemptFacts&) override {}
  conf::Instant expiry(const queue::Delivery&, const conf::DestinationSettings&) override {
    return conf::kNever;
  }
};

class SurveyTest : public testing::Test {
 protected:
  SurveyTest() {
    config_->sources.resize(2);
    config_->sources[0].name = "a";
    config_->sources[1].name = "b";
    sites_ = std::make_unique<queue::SiteTable>(config_, nullptr, &clock_);
    dispatcher_ = std::make_unique<Dispatcher>(
        Dispatcher::Parts{config_, &messages_, sites_.get(), &lease_, &network_, &clock_, &random_, &nobody_,
                          nullptr, [](const queue::Path&, const std::vector<mx::Decision>&) {}});
  }
  ~SurveyTest() override { dispatcher_->abandon(); }

  // Mail for a site of its own, from each of the two sources.
  void site(const std::string& name, int from_a, int from_b) {
    const uint32_t number = domains_.intern(conf::Domain::from_canonical(name));
    queue::DomainEntry& domain = domains_.at(number);
    auto route = std::make_shared<mx::Route>();
    route->kind = mx::Route::Kind::kHosts;
    route->site = "mx." + name;
    route->hosts.push_back({"mx." + name, 10, 25, {"127.0.0.1"}});
    domain.route = route;
    domain.settings = conf::settings_in(config_, domain.name.text());
    for (int i = 0; i < from_a + from_b; ++i) {
      queue::Path* path = sites_->path_from(&domain, config_->sources[i < from_a ? 0 : 1]);
      dispatcher_->add(deliveries_.add(++last_id_, number, clock_.now()), path);
    }
  }
  void look(Survey* survey) {
    while (!survey->step(clock_.now())) {
    }
  }

  StillClock clock_;
  conf::Random random_{1};
  std::shared_ptr<conf::Config> config_ = std::make_shared<conf::Config>();
  spool::MemorySpool spool_;
  queue::MessageCache messages_{&spool_, 1'000'000};
  queue::DomainTable domains_;
  queue::DeliveryStore deliveries_;
  mx::Lease lease_;
  NoNetwork network_;
  Nobody nobody_;
  std::unique_ptr<queue::SiteTable> sites_;
  std::unique_ptr<Dispatcher> dispatcher_;
  conf::MessageId last_id_ = 0;
};

TEST_F(SurveyTest, ShowsTheFiftyBusiestOfManyTheBusiestFirst) {
  for (int i = 1; i <= 80; ++i) site("d" + std::to_string(i) + ".test", i, 0);
  Survey survey(sites_.get(), dispatcher_.get());
  look(&survey);
  EXPECT_EQ(survey.latest().paths, 80U);
  ASSERT_EQ(survey.latest().sites.size(), 50U);
  for (size_t i = 0; i < 50; ++i) EXPECT_EQ(survey.latest().sites[i].ready, 80 - i);
}

TEST_F(SurveyTest, ASiteIsOneLineWithTheMailOfAllItsSources) {
  site("small.test", 3, 0);
  site("both.test", 2, 5);
  Survey survey(sites_.get(), dispatcher_.get());
  for (int round = 0; round < 2; ++round) {
    look(&survey);
    EXPECT_EQ(survey.latest().paths, 3U);
    ASSERT_EQ(survey.latest().sites.size(), 2U) << round;
    EXPECT_EQ(survey.latest().sites[0].site, "mx.both.test");
    EXPECT_EQ(survey.latest().sites[0].ready, 7U);
    EXPECT_EQ(survey.latest().sites[1].ready, 3U);
  }
}

TEST_F(SurveyTest, ABlockThatHasRunOutIsNotCountedAndItsEndIsKnown) {
  site("a.test", 1, 0);
  sites_->for_each([&](queue::Path* path) {
    path->counters.standing->block_by_rule(clock_.now() + 5min, "why", clock_.now());
  });
  Survey survey(sites_.get(), dispatcher_.get());
  look(&survey);
  EXPECT_EQ(survey.latest().limiter.blocked, 1U);
  EXPECT_EQ(survey.latest().next_change, clock_.now() + 5min);
  ASSERT_TRUE(survey.step(clock_.now() + 5min));
  EXPECT_EQ(survey.latest().limiter.blocked, 0U);
  EXPECT_EQ(survey.latest().next_change, conf::kNever);
}

TEST_F(SurveyTest, ManySitesAreLookedAtInSteps) {
  for (int i = 0; i < 3000; ++i) site("d" + std::to_string(i) + ".test", 1, 0);
  Survey survey(sites_.get(), dispatcher_.get());
  EXPECT_FALSE(survey.step(clock_.now()));
  EXPECT_TRUE(survey.under_way());
  look(&survey);
  EXPECT_EQ(survey.latest().paths, 3000U);
  EXPECT_EQ(survey.latest().sites.size(), 50U);
}

}  // namespace
}  // namespace relay
