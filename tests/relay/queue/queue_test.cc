// The small parts of the queue.
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "conf/vocab/random.h"
#include "relay/flow/path_choice.h"
#include "relay/flow/site_table.h"
#include "relay/net/deadlines.h"
#include "relay/queue/delivery_index.h"
#include "relay/queue/delivery_store.h"
#include "relay/queue/domain_table.h"
#include "relay/queue/message_cache.h"
#include "relay/queue/retry.h"
#include "relay/queue/scheduled.h"
#include "relay/spool/memory_spool.h"

namespace relay {
namespace {

using namespace std::chrono_literals;
using conf::Instant;

TEST(Scheduled, PopsInOrderOfTimeWhateverWasErased) {
  conf::Random random(3);
  queue::Scheduled heap;
  std::vector<std::unique_ptr<queue::Delivery>> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(std::make_unique<queue::Delivery>());
    all.back()->due = Instant(conf::Duration(random.below(5000)));
    heap.push(all.back().get());
  }
  for (size_t i = 0; i < all.size(); i += 3) heap.erase(all[i].get());
  Instant last{};
  size_t popped = 0;
  while (queue::Delivery* delivery = heap.pop_due(Instant(5000us))) {
    EXPECT_GE(delivery->due, last);
    last = delivery->due;
    ++popped;
  }
  EXPECT_EQ(popped, all.size() - (all.size() + 2) / 3);
  EXPECT_EQ(heap.next(), conf::kNever);
}

TEST(Scheduled, NothingBeforeItsTime) {
  queue::Scheduled heap;
  queue::Delivery delivery;
  delivery.due = Instant(10s);
  heap.push(&delivery);
  EXPECT_EQ(heap.pop_due(Instant(9s)), nullptr);
  EXPECT_EQ(heap.next(), Instant(10s));
  EXPECT_EQ(heap.pop_due(Instant(10s)), &delivery);
}

TEST(Retry, TheDefaultScheduleIsFiveHoursThenFourDays) {
  const conf::RetrySchedule schedule;
  conf::Random random(1);
  const conf::WallTime accepted = conf::from_unix_micros(1'790'000'000'000'000);
  conf::WallTime now = accepted;
  for (uint32_t attempt = 1; attempt <= 9; ++attempt) {
    const conf::Duration base = attempt <= 5 ? conf::Duration(1h) : conf::Duration(24h);
    const auto delay =
        queue::next_delay(schedule, attempt, conf::Reason::kUnreachable, accepted, now, &random);
    ASSERT_TRUE(delay.has_value()) << attempt;
    EXPECT_GE(*delay, base);  // jitter is only added
    EXPECT_LE(*delay, base + base / 20 + 1us);
    now += *delay;
  }
  EXPECT_FALSE(
      queue::next_delay(schedule, 10, conf::Reason::kUnreachable, accepted, now, &random).has_value());
}

TEST(Retry, NothingAfterTheValidity) {
  conf::RetrySchedule schedule;
  schedule.validity = 90min;
  conf::Random random(1);
  const conf::WallTime accepted{};
  EXPECT_TRUE(
      queue::next_delay(schedule, 1, conf::Reason::kUnreachable, accepted, accepted, &random).has_value());
  EXPECT_FALSE(queue::next_delay(schedule, 2, conf::Reason::kUnreachable, accepted, accepted + 1h, &random)
                   .has_value());
}

TEST(Retry, AMailboxThatIsFullIsTriedDailyUntilItsValidityIsOver) {
  const conf::RetrySchedule schedule;
  conf::Random random(3);
  const conf::WallTime accepted{};
  conf::WallTime now = accepted;
  uint32_t attempts = 1;
  for (; attempts < 20; ++attempts) {
    const auto delay =
        queue::next_delay(schedule, attempts, conf::Reason::kMailboxFull, accepted, now, &random);
    if (!delay) break;
    if (now + 25h <= accepted + schedule.validity) {
      EXPECT_GE(*delay, 24h) << attempts;
    }
    now += *delay;
  }
  EXPECT_GE(now - accepted, 96h);
  EXPECT_LE(now - accepted, schedule.validity);
  EXPECT_GE(attempts, 5U);  // so many errors that count: a day apart
}

// A validity of hours: the schedule of the reason has no room in it, that of the destination has.
TEST(Retry, AShortValidityKeepsTheScheduleOfTheDestination) {
  conf::RetrySchedule schedule;
  schedule.validity = 12h;
  conf::Random random(4);
  const auto delay =
      queue::next_delay(schedule, 1, conf::Reason::kMailboxFull, {}, conf::WallTime{}, &random);
  ASSERT_TRUE(delay.has_value());
  EXPECT_LT(*delay, 2h);
}

TEST(Retry, AScheduleThatSomebodyWroteHoldsForEveryReason) {
  conf::RetrySchedule schedule;
  schedule.write({conf::Duration(10s)});
  conf::Random random(5);
  EXPECT_LT(*queue::next_delay(schedule, 1, conf::Reason::kMailboxFull, {}, conf::WallTime{}, &random), 11s);
}

TEST(Retry, FirstTriesComeBeforeTheScheduleAndNeverLaterThanIt) {
  using conf::PassingTrouble;
  conf::RetrySchedule schedule;
  conf::Random random(6);
  const auto first = [&](uint32_t done) {
    return queue::first_delay(schedule, PassingTrouble::kGreylisting, done, 1, {}, conf::WallTime{}, &random);
  };
  const conf::Duration least[] = {5min, 10min, 20min, 40min};
  for (uint32_t done = 0; done < 4; ++done) {
    ASSERT_TRUE(first(done).has_value()) << done;
    EXPECT_GE(*first(done), least[done]);
    EXPECT_LE(*first(done), least[done] * 11 / 10);
  }
  EXPECT_FALSE(first(4).has_value());
  schedule.write({conf::Duration(10min), conf::Duration(1h)});
  EXPECT_TRUE(first(0).has_value());
  EXPECT_FALSE(first(1).has_value()) << "the schedule comes as soon";
  schedule.validity = 3min;
  EXPECT_FALSE(first(0).has_value());
}

TEST(Deadlines, FireOnceAtTheTimeAskedLast) {
  Deadlines all;
  Deadline a, b, c;
  all.set(&a, Instant(10s));
  all.set(&b, Instant(5s));
  all.set(&c, Instant(7s));
  all.set(&b, Instant(20s));  // later
  all.set(&a, Instant(6s));   // sooner
  all.set(&c, conf::kNever);  // not at all
  EXPECT_EQ(all.pop(Instant(5s)), nullptr);
  EXPECT_EQ(all.pop(Instant(6s)), &a);
  EXPECT_EQ(all.pop(Instant(19s)), nullptr);
  EXPECT_EQ(all.pop(Instant(20s)), &b);
  EXPECT_EQ(all.pop(Instant(99s)), nullptr);
  EXPECT_EQ(all.size(), 0U);
}

TEST(Deadlines, DestroyingOneTakesItOut) {
  Deadlines all;
  {
    Deadline gone;
    all.set(&gone, Instant(1s));
  }
  EXPECT_EQ(all.pop(Instant(2s)), nullptr);
}

// An insertion moves one part at most: here ids of one moment, which differ in their lowest bits, and ids of
// many moments, one of each.
TEST(DeliveryStore, NoInsertionMovesMoreThanASmallShareOfWhatIsThere) {
  constexpr size_t kIds = 200'000;
  for (const int shift : {0, 20}) {
    queue::DeliveryStore store;
    for (conf::MessageId i = 0; i < kIds; ++i)
      store.add((uint64_t{1'790'000'000'000} << 20) + (i << shift), 0, Instant{});
    EXPECT_EQ(store.messages(), kIds);
    size_t largest = 0, all = 0, part = 0;
    for (bool more = true; more;) {
      size_t here = 0;
      more = store.visit_some(&part, 1, [&here](const queue::Delivery&) { ++here; });
      largest = std::max(largest, here);
      all += here;
    }
    EXPECT_EQ(all, kIds) << "each is shown once";
    EXPECT_LT(largest, kIds / 250);
  }
}

// Against a plain set of ids, through growth and through gaps that are closed.
TEST(DeliveryIndex, FindsWhatIsThereAndNothingElse) {
  std::mt19937 random(7);
  queue::DeliveryIndex index;
  std::map<conf::MessageId, std::unique_ptr<queue::Delivery>> there;
  for (int step = 0; step < 200'000; ++step) {
    // Many ids, later a few.
    const conf::MessageId id = (uint64_t{random() % (step < 150'000 ? 30'000 : 100)} << 20) + random() % 2;
    const auto found = there.find(id);
    ASSERT_EQ(index.find(id), found == there.end() ? nullptr : found->second.get());
    if (found != there.end()) {
      index.erase(id);
      there.erase(found);
    } else {
      auto delivery = std::make_unique<queue::Delivery>();
      delivery->id = id;
      ASSERT_EQ(index.put(delivery.get()), nullptr);
      there.emplace(id, std::move(delivery));
    }
    ASSERT_EQ(index.size(), there.size());
  }
  size_t shown = 0;
  index.for_each([&](queue::Delivery* first) {
    ++shown;
    EXPECT_EQ(there.at(first->id).get(), first);
  });
  EXPECT_EQ(shown, there.size());
}

TEST(DeliveryIndex, AnotherDeliveryTakesThePlaceOfTheFirst) {
  queue::DeliveryIndex index;
  queue::Delivery a, b;
  a.id = b.id = 5;
  EXPECT_EQ(index.put(&a), nullptr);
  EXPECT_EQ(index.put(&b), &a);
  EXPECT_EQ(index.find(5), &b);
  EXPECT_EQ(index.size(), 1U);
  index.erase(5);
  EXPECT_EQ(index.find(5), nullptr);
  EXPECT_EQ(index.size(), 0U);
}

TEST(DeliveryStore, SiblingsOfAMessage) {
  queue::DeliveryStore store;
  queue::Delivery* a = store.add(1, 10, Instant{});
  queue::Delivery* b = store.add(1, 11, Instant{});
  store.add(2, 10, Instant{});
  EXPECT_EQ(store.messages(), 2U);
  EXPECT_EQ(store.deliveries(), 3U);
  store.erase(a);
  EXPECT_EQ(store.find(1), b);
  EXPECT_EQ(b->sibling, nullptr);
  store.erase(b);
  EXPECT_EQ(store.find(1), nullptr);
  EXPECT_EQ(store.messages(), 1U);
}

TEST(DeliveryStore, SiblingsGoInAnyOrder) {
  queue::DeliveryStore store;
  std::vector<queue::Delivery*> all;
  for (uint32_t domain = 0; domain < 5; ++domain) all.push_back(store.add(1, domain, Instant{}));
  const auto domains = [&store] {
    std::vector<uint32_t> found;
    const queue::Delivery* before = nullptr;
    for (const queue::Delivery* each = store.find(1); each != nullptr; each = each->sibling) {
      EXPECT_EQ(each->sibling_before, before);
      before = each;
      found.push_back(each->domain);
    }
    return found;
  };
  EXPECT_EQ(domains(), (std::vector<uint32_t>{4, 3, 2, 1, 0}));
  store.erase(all[2]);  // in the middle
  EXPECT_EQ(domains(), (std::vector<uint32_t>{4, 3, 1, 0}));
  store.erase(all[0]);  // the last
  store.erase(all[4]);  // the first
  EXPECT_EQ(domains(), (std::vector<uint32_t>{3, 1}));
  store.add(1, 9, Instant{});
  EXPECT_EQ(domains(), (std::vector<uint32_t>{9, 3, 1}));
}

TEST(DeliveryStore, ADeliveryIsSmall) { EXPECT_LE(sizeof(queue::Delivery), 104U); }

TEST(DomainTable, NumbersLiveAsLongAsDeliveriesAndABitLonger) {
  queue::DomainTable table;
  const conf::Domain a = conf::Domain::from_canonical("a.test"), b = conf::Domain::from_canonical("b.test");
  const uint32_t number = table.intern(a);
  EXPECT_EQ(table.intern(a), number);
  EXPECT_NE(table.intern(b), number);
  table.release(number);
  table.release(number);
  EXPECT_EQ(table.intern(a), number);  // kept with its route
  EXPECT_EQ(table.at(number).name, a);
  EXPECT_NE(table.find("b.test"), nullptr);
  EXPECT_EQ(table.find("c.test"), nullptr);
}

spool::MessageRecord record(conf::MessageId id) {
  spool::MessageRecord out;
  out.id = id;
  out.recipients.resize(1);
  return out;
}

TEST(MessageCache, LoadsOnceAndForgetsWithTheLastPin) {
  spool::MemorySpool spool;
  spool.store(record(1), conf::Bytes("body"), [](const conf::Result<spool::Receipt>&) {});
  spool.run_batch();
  spool.drain_completions();
  queue::MessageCache cache(&spool, 1'000'000);
  std::vector<queue::Message*> got;
  for (int i = 0; i < 2; ++i) {
    cache.pin(1, i == 1, [&got](conf::Result<queue::Message*> message) { got.push_back(message.value()); });
  }
  while (got.size() < 2) {
    spool.run_batch();
    spool.drain_completions();
  }
  EXPECT_EQ(got[0], got[1]);
  EXPECT_EQ(got[0]->body.view(), "body");
  EXPECT_EQ(got[0]->pins, 2U);
  EXPECT_GT(cache.used_bytes(), 0U);
  cache.unpin(got[0]);
  cache.unpin(got[0]);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.used_bytes(), 0U);
}

TEST(MessageCache, ARecordInMemoryIsNotReplacedByAnOlderOneFromTheSpool) {
  spool::MemorySpool spool;
  spool.store(record(1), conf::Bytes("body"), [](const conf::Result<spool::Receipt>&) {});
  spool.run_batch();
  spool.drain_completions();
  queue::MessageCache cache(&spool, 1'000'000);
  queue::Message* fresh = cache.insert(record(1), conf::Bytes(), 1);
  ASSERT_NE(fresh, nullptr);
  fresh->body.reset();
  queue::Message* loaded = nullptr;
  cache.pin(1, true, [&loaded](conf::Result<queue::Message*> message) { loaded = message.value(); });
  spool.run_batch();                         // the old record is read ...
  fresh->record.recipients[0].attempts = 9;  // ... while the newer one is in memory and then let go
  cache.unpin(fresh);
  spool.drain_completions();
  ASSERT_NE(loaded, nullptr);
  EXPECT_EQ(loaded->record.recipients[0].attempts, 9);
  cache.unpin(loaded);
}

TEST(MessageCache, BeyondTheBudgetNothingIsKept) {
  spool::MemorySpool spool;
  queue::MessageCache cache(&spool, 10'000);
  EXPECT_NE(cache.insert(record(1), conf::Bytes(std::string(5000, 'x')), 1), nullptr);
  EXPECT_EQ(cache.insert(record(2), conf::Bytes(std::string(5000, 'x')), 1), nullptr);
}

class SiteTableTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = std::make_shared<conf::Config>();
    made->sources = {source("a", "192.0.2.1", 1), source("b", "192.0.2.2", 3),
                     source("six", "2001:db8::1", 100)};
    made->sources[0].include_domains = {"*.only-a.test"};
    made->sources[1].exclude_domains = {"*.only-a.test"};
    made->sources[2].exclude_domains = {"*"};
    config = made;
    sites = std::make_unique<queue::SiteTable>(config, nullptr, &clock);
  }
  static conf::Source source(const char* name, const char* address, uint32_t weight) {
    conf::Source made;
    made.name = name;
    made.address = address;
    made.weight = weight;
    return made;
  }
  queue::DomainEntry* domain(const std::string& name, const std::string& address) {
    auto route = std::make_shared<mx::Route>();
    route->kind = mx::Route::Kind::kHosts;
    route->site = "mx.test";
    route->hosts.push_back({"mx.test", 10, 25, {address}});
    queue::DomainEntry& entry = table.at(table.intern(conf::Domain::from_canonical(name)));
    entry.route = route;
    entry.settings = conf::settings_in(config, name);
    return &entry;
  }
  queue::Way choose(queue::DomainEntry* entry) {
    return queue::PathChoice(sites.get(), &random).choose(entry);
  }
  conf::Random random{5};
  conf::SystemClock clock;
  conf::ConfigPtr config;
  queue::DomainTable table;
  std::unique_ptr<queue::SiteTable> sites;
};

TEST_F(SiteTableTest, MasksChooseTheSource) {
  EXPECT_EQ(choose(domain("x.only-a.test", "198.51.100.1")).path->source.name, "a");
  EXPECT_EQ(choose(domain("other.test", "198.51.100.1")).path->source.name, "b");
}

TEST_F(SiteTableTest, NoSourceOfTheFamily) {
  const queue::Way choice = choose(domain("other.test", "2001:db8::99"));
  EXPECT_EQ(choice.path, nullptr);
  EXPECT_FALSE(choice.why_not.empty());
}

TEST_F(SiteTableTest, OnlyTheSourcesOfTheStreamAreDrawn) {
  auto made = std::make_shared<conf::Config>();
  made->sources = {source("a", "192.0.2.1", 1), source("b", "192.0.2.2", 3), source("c", "192.0.2.3", 3)};
  for (uint32_t i = 0; i < 3; ++i) made->sources[i].id = i + 1;
  made->sources[2].exclude_domains = {"*.only-ab.test"};
  conf::Stream news, last;
  news.name = "news";
  news.sources = conf::SourceSet::parse("2-3").value();
  last.name = "last";
  last.sources = conf::SourceSet::parse("3").value();
  made->streams = {news, last};
  config = made;
  sites = std::make_unique<queue::SiteTable>(config, nullptr, &clock);
  const queue::PathChoice choice(sites.get(), &random);
  const uint16_t number = sites->streams().number_of("news"), bound = sites->streams().number_of("last");
  queue::DomainEntry* entry = domain("other.test", "198.51.100.1");
  std::map<std::string, int> drawn;
  for (int i = 0; i < 400; ++i) ++drawn[choice.choose(entry, number).path->source.name];
  EXPECT_EQ(drawn["a"], 0);
  EXPECT_NEAR(drawn["b"], 200, 60);
  EXPECT_NEAR(drawn["c"], 200, 60);
  queue::DomainEntry* narrow = domain("x.only-ab.test", "198.51.100.1");
  EXPECT_EQ(choice.choose(narrow, number).path->source.name, "b");
  const queue::Way none = choice.choose(narrow, bound);
  EXPECT_EQ(none.path, nullptr);
  EXPECT_NE(none.why_not.find("no source of the stream \"last\" may send"), std::string::npos)
      << none.why_not;

  const auto shares = choice.shares(entry, number);
  ASSERT_EQ(shares.size(), 3U);
  EXPECT_EQ(shares[0].unusable, "it is not one of the stream's");
  EXPECT_EQ(shares[1].share, 0.5);
  // b is blocked: what waits there may go from c, unless its stream does not have it.
  queue::Path* path = sites->path_from(entry, config->sources[1]);
  path->counters.standing->block_by_rule(clock.now() + std::chrono::hours(1), "test", clock.now());
  EXPECT_TRUE(choice.goes_sooner_elsewhere(entry, number, *path));
  sites->path_from(entry, config->sources[2])
      ->counters.standing->block_by_rule(clock.now() + std::chrono::hours(2), "test", clock.now());
  EXPECT_FALSE(choice.goes_sooner_elsewhere(entry, number, *path)) << "a is free, but not the stream's";
  EXPECT_TRUE(choice.goes_sooner_elsewhere(entry, queue::StreamTable::kNone, *path));
  for (int i = 0; i < 50; ++i) EXPECT_NE(choice.choose(entry, number).path->source.name, "a");
}

TEST_F(SiteTableTest, OneSiteForManyDomains) {
  EXPECT_EQ(choose(domain("one.test", "198.51.100.1")).path, choose(domain("two.test", "198.51.100.1")).path);
}

// RFC 5321 §5.1: the order is the domain's; what is counted is the site's.
TEST_F(SiteTableTest, AnotherOrderOfTheSameHostsSharesTheCountersAndNothingElse) {
  queue::DomainEntry* one = domain("one.test", "198.51.100.1");
  queue::DomainEntry* two = domain("two.test", "198.51.100.1");
  auto turned = std::make_shared<mx::Route>(*two->route);
  turned->order = "other.test|mx.test";
  two->route = turned;
  const conf::Source& from = config->sources[1];
  queue::Path* first = sites->path_from(one, from);
  queue::Path* second = sites->path_from(two, from);
  EXPECT_NE(first, second);
  EXPECT_EQ(first->site, second->site);
  EXPECT_EQ(first->counters.standing, second->counters.standing);
  EXPECT_EQ(sites->traffic(first, "198.51.100.1"), sites->traffic(second, "198.51.100.1"));
  EXPECT_EQ(first->route, one->route);
  EXPECT_EQ(second->route, turned);
  EXPECT_EQ(sites->find(*two, from), second);
}

}  // namespace
}  // namespace relay
