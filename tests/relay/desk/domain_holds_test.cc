// Mail that waits for its next attempt and whose path is held back longer than that: the later end is told.
#include "relay/desk/domain_holds.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/desk/census_taker.h"
#include "relay/desk/delivery_views.h"
#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

constexpr double kHour = 3600;

class DomainHoldsTest : public WalkRig {
 protected:
  DomainHoldsTest() {
    config_->sources.resize(2);
    config_->sources[1].name = "news";
    config_->sources[1].id = 2;
    refuse_for_now();
    start();
  }
  std::vector<queue::Path*> paths_to(const std::string& name) {
    queue::DomainTable& domains = transit_->domains();
    queue::DomainEntry& domain = domains.at(domains.intern(conf::Domain::from_canonical(name)));
    std::vector<queue::Path*> paths;
    for (const conf::Source& source : transit_->config()->sources)
      paths.push_back(transit_->sites().path_from(&domain, source));
    return paths;
  }
  admin::WaitingReason reason_of(const std::string& asked) {
    CensusTaker taker(transit_.get(), no_order_);
    std::shared_ptr<const admin::Census> census;
    taker.take(asked, [&census](std::shared_ptr<const admin::Census> taken) { census = std::move(taken); });
    for (int i = 0; i < 100 && census == nullptr; ++i) taker.step(clock_.time);
    if (census == nullptr) return {};
    const admin::Waiting all = admin::all_of(*census);
    EXPECT_EQ(all.reasons.size(), 1U);
    return all.reasons.empty() ? admin::WaitingReason() : all.reasons[0];
  }
  admin::WaitingReason reason_of_all() { return reason_of(""); }

  const DomainHolds::OrderedUntil no_order_ = [](const queue::DomainEntry&, const conf::Source&,
                                                 const std::string&) { return conf::Instant{}; };
};

TEST_F(DomainHoldsTest, ABlockOfAllSourcesThatEndsLaterThanTheScheduleIsWhatMailWaitsFor) {
  const conf::MessageId id = submit({"a@one.test"});
  const std::string deferred = "deferred: 452 4.2.2 mailbox full";
  EXPECT_EQ(reason_of_all().text, deferred);
  const std::vector<queue::Path*> paths = paths_to("one.test");
  paths[0]->holds.order_until(clock_.time + 3h);
  EXPECT_EQ(reason_of_all().text, deferred) << "it may go from the other source";
  paths[1]->holds.order_until(clock_.time + 2h);
  for (const admin::WaitingReason& told : {reason_of_all(), reason_of("one.test")}) {
    EXPECT_EQ(told.text, "blocked by an operator (" + deferred + ")");
    EXPECT_NEAR(told.next_seconds.value_or(0), 2 * kHour, 1);
  }
  const std::vector<admin::DeliveryView> views = delivery_views(transit_.get(), id, no_order_, clock_.time);
  ASSERT_EQ(views.size(), 1U);
  EXPECT_NEAR(views[0].next_seconds.value_or(0), 2 * kHour, 1);
  paths[1]->holds.order_until(clock_.time + 1min);
  EXPECT_EQ(reason_of_all().text, deferred) << "the schedule ends later";
}

TEST_F(DomainHoldsTest, ABlockCountsWhenItsPathWasForgotten) {
  path_to("quiet.test");
  const conf::Instant until = clock_.time + 3h;
  for (queue::Path* path : paths_to("quiet.test"))
    path->counters.standing->block_by_rule(until, "test", clock_.time);
  for (int i = 0; i < 5000; ++i) transit_->sites().sweep(clock_.time);
  const queue::DomainEntry* domain = transit_->domains().find("quiet.test");
  for (const bool looks : {true, false}) {  // who has not looked makes no path for an answer
    DomainHolds holds(transit_.get(), no_order_);
    while (looks && holds.look_some(10)) {
    }
    const Reason& told = holds.of(domain->number, queue::StreamTable::kNone, clock_.time);
    EXPECT_EQ(told.text, looks ? "blocked after refusals" : "");
    EXPECT_EQ(told.until, looks ? until : conf::kNever);
    EXPECT_EQ(transit_->sites().find(*domain, config_->sources[0]), nullptr);
  }
}

TEST_F(DomainHoldsTest, AnOrderHoldsAPathThatIsNotThereYet) {
  path_to("quiet.test");
  for (int i = 0; i < 5000; ++i) transit_->sites().sweep(clock_.time);
  const queue::DomainEntry* domain = transit_->domains().find("quiet.test");
  ASSERT_EQ(transit_->sites().find(*domain, config_->sources[0]), nullptr);
  const conf::Instant until = clock_.time + 3h;
  for (const bool of_all : {true, false}) {
    DomainHolds holds(transit_.get(), [&](const queue::DomainEntry& asked, const conf::Source& source,
                                          const std::string& rule) {
      EXPECT_EQ(asked.name.text(), "quiet.test");
      EXPECT_EQ(rule, "");
      return of_all || source.name == "news" ? until : conf::Instant{};
    });
    const Reason& told = holds.of(domain->number, queue::StreamTable::kNone, clock_.time);
    EXPECT_EQ(told.text, of_all ? "blocked by an operator" : "") << "the other source may send";
    EXPECT_EQ(told.until, of_all ? until : conf::kNever);
  }
}

TEST_F(DomainHoldsTest, APauseIsToldWithTheRuleThatMadeIt) {
  submit({"a@one.test"});
  for (queue::Path* path : paths_to("one.test"))
    path->holds.pause_until(clock_.time + 2h, "paused by reply rule \"busy\"");
  EXPECT_EQ(reason_of_all().text, "paused by reply rule \"busy\" (deferred: 452 4.2.2 mailbox full)");
}

}  // namespace
}  // namespace relay
