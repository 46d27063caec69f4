// What explain says of the next message is what happens to it: asked at random moments under random limits.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "relay/admin/mx_view.h"
#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_world.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Duration kToOpen = 2s;  // a connection, with its greeting

DrawnLimits some_connections(conf::Random* random) {
  DrawnLimits limits;
  limits.max_connections = 1 + static_cast<uint32_t>(random->below(3));
  limits.messages_per_connection = random->chance(0.3) ? 1 : 100;
  return limits;
}

void draw_rate(conf::Random* random, DrawnLimits* limits) {
  limits->rate = 4 + static_cast<uint32_t>(random->below(30));
  limits->burst = 1 + static_cast<uint32_t>(random->below(limits->rate));
}

class ForecastWorld {
 public:
  explicit ForecastWorld(uint64_t seed) : world(seed) {
    conf::Random& random = world.world.random;
    DrawnLimits limits = some_connections(&random);
    if (random.chance(0.7)) draw_rate(&random, &limits);
    if (limits.rate == 0 || random.chance(0.3)) limits.messages_per_hour = 60, limits.smooth = true;
    world.history.rules = {rule_with(std::move(limits), static_cast<CountedBy>(random.below(3)))};
    world.history.rule_of = {{0}};
    world.add_site(1, 1);
    ConfigDraw draw;
    draw.validity = world.validity = 24h;
    world.start(write_configuration(draw, world.history.rules));
  }
  relay::admin::PathView ask() {
    relay::admin::Explanation told;
    world.desk().explain("d0-0.test", "", "", [&told](relay::admin::Explanation answer) { told = answer; });
    world.run_until(world.world.now() + 1s, [&told] { return !told.paths.empty(); });
    EXPECT_EQ(told.paths.size(), 1U);
    return told.paths.empty() ? relay::admin::PathView{} : told.paths.front();
  }
  MxWorld world;
};

TEST(MxForecast, ExplainSaysWhatHappensToTheNextMessage) {
  size_t asked = 0, waited = 0;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    ForecastWorld forecast(seed);
    MxWorld& world = forecast.world;
    for (int i = 0; i < 40; ++i) {
      for (uint64_t left = world.world.random.below(12); left > 0; --left) world.submit("", {"u0@d0-0.test"});
      world.run_until(world.world.now() + 20min, [&world] { return world.settled(); });
      world.run_until(world.world.now() + world.world.between(0s, world.world.random.chance(0.3) ? 20s : 3s));
      const relay::admin::PathView said = forecast.ask();
      const conf::Instant since = world.world.now();
      const size_t before = world.history.mails.size();
      world.submit("", {"u0@d0-0.test"});
      world.run_until(since + 20min, [&] { return world.history.mails.size() > before; });
      const double took = std::chrono::duration<double>(world.world.now() - since).count();
      const double open = std::chrono::duration<double>(kToOpen).count();
      ++asked;
      const std::string what = "seed " + std::to_string(seed) + ": \"" + mx::to_text(said.binds) + "\" for " +
                               std::to_string(said.frees_seconds) + " s, and it went after " +
                               std::to_string(took);
      if (said.binds == mx::Bind::kNothing) {
        EXPECT_LE(took, open) << what;
        continue;
      }
      ++waited;
      if (said.frees_seconds < 0) {  // when a connection ends: one that says QUIT
        EXPECT_LE(took, open) << what;
        continue;
      }
      EXPECT_GE(took, said.frees_seconds - 0.01) << what;
      EXPECT_LE(took, said.frees_seconds + open) << what;
    }
    world.run_until(world.world.now() + 3s);
    EXPECT_GT(forecast.ask().last_minute.delivered, 0U) << "seed " << seed;
    const relay::admin::QueueSummary scraped = world.desk().last_known();
    ASSERT_EQ(scraped.by_rule.size(), 1U);
    EXPECT_EQ(scraped.by_rule.front().name, "all");
    EXPECT_EQ(scraped.by_rule.front().delivered, scraped.delivered);
    EXPECT_GT(scraped.delivered, 0U);
    EXPECT_GT(scraped.by_rule.front().transaction.sum_seconds, 0);
  }
  EXPECT_GT(waited, asked / 10);
  EXPECT_LT(waited, asked);
}

// Sites that have hosts in common: what is asked about has sent nothing, and the others used up what it
// needs.
class SharedForecast {
 public:
  explicit SharedForecast(uint64_t seed) : world(seed) {
    conf::Random& random = world.world.random;
    DrawnLimits limits = some_connections(&random);
    if (random.chance(0.8)) {
      draw_rate(&random, &limits);
    } else {
      limits.messages_per_hour = 60, limits.smooth = true;
    }
    CountedBy scope = random.chance(0.5) ? CountedBy::kSource : CountedBy::kPool;
    if (random.chance(0.2)) scope = CountedBy::kPath;
    world.history.rules = {rule_with(std::move(limits), scope)};
    world.history.rule_of = {{0}, {0}, {0}};
    for (int i = 0; i < 3; ++i) world.add_site(1, 1);
    world.add_domain("ab.test", {0, 1});
    world.add_domain("ac.test", {0, 2});
    world.names.add_mx("backup.test", 10, "mx0.test");
    world.names.add_mx("backup.test", 20, "mx1.test");
    world.names.add_mx("other.test", 10, "mx0.test");
    ConfigDraw draw;
    draw.validity = world.validity = 24h;
    world.start(write_configuration(draw, world.history.rules) +
                "[[destination]]\nname = \"other\"\ndomains = [\"other.test\"]\n");
  }
  MxWorld world;
};

TEST(MxForecast, ExplainSaysWhatHappensToTheNextMessageAtAHostThatOtherSitesHave) {
  const std::vector<std::string> domains = {"d0-0.test", "ab.test", "ac.test", "backup.test", "other.test"};
  size_t asked = 0, waited = 0;
  std::vector<uint64_t> seeds(24);
  std::iota(seeds.begin(), seeds.end(), 1);
  seeds.push_back(62);  // a connection at rest moves to another host
  for (const uint64_t seed : seeds) {
    SharedForecast shared(seed);
    MxWorld& world = shared.world;
    for (int i = 0; i < 40; ++i) {
      const std::string about = domains[world.world.random.below(domains.size())];
      for (uint64_t left = world.world.random.below(20); left > 0; --left) {
        const std::string to = domains[world.world.random.below(domains.size())];
        if (to != about) world.submit("", {"u0@" + to});
      }
      world.run_until(world.world.now() + 30min, [&world] { return world.settled(); });
      world.run_until(world.world.now() + world.world.between(0s, world.world.random.chance(0.3) ? 20s : 3s));
      relay::admin::Explanation told;
      world.desk().explain(about, "", "", [&told](relay::admin::Explanation answer) { told = answer; });
      world.run_until(world.world.now() + 1s, [&told] { return !told.paths.empty(); });
      ASSERT_EQ(told.paths.size(), 1U);
      const relay::admin::PathView& said = told.paths.front();
      const conf::Instant since = world.world.now();
      const size_t before = world.history.mails.size();
      world.submit("", {"u0@" + about});
      world.run_until(since + 30min, [&] { return world.history.mails.size() > before; });
      const double took = std::chrono::duration<double>(world.world.now() - since).count();
      const double open = std::chrono::duration<double>(kToOpen).count();
      ++asked;
      const std::string what = "seed " + std::to_string(seed) + ", " + about + ": \"" +
                               mx::to_text(said.binds) + "\" for " + std::to_string(said.frees_seconds) +
                               " s, and it went after " + std::to_string(took);
      if (said.binds == mx::Bind::kNothing || said.frees_seconds < 0) {
        EXPECT_LE(took, open) << what;
        continue;
      }
      ++waited;
      EXPECT_GE(took, said.frees_seconds - 0.01) << what;
      EXPECT_LE(took, said.frees_seconds + open) << what;
    }
  }
  EXPECT_GT(waited, asked / 10);
  EXPECT_LT(waited, asked);
}

}  // namespace
}  // namespace sim
