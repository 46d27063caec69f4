// A relay with one rule and one site: for histories written by hand.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_world.h"

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

inline DrawnRule rule_of_all(DrawnLimits limits) {
  DrawnRule rule;
  rule.name = "all";
  rule.mx = "mx?.test";
  rule.versions.emplace_back(conf::Instant{}, std::move(limits));
  return rule;
}

class Example {
 public:
  Example(uint64_t seed, size_t domains, DrawnLimits limits, conf::Duration validity) : world(seed) {
    world.history.rules = {rule_of_all(std::move(limits))};
    world.history.rule_of = {{0}};
    world.add_site(domains, 1);
    ConfigDraw draw;
    draw.validity = world.validity = validity;
    world.start(write_configuration(draw, world.history.rules));
  }
  // So many messages, one after the other; refused or taken.
  void send(uint64_t count, bool refused) {
    world.peer(0).rules.refuse_hard = refused ? 1 : 0;
    for (uint64_t i = 0; i < count; ++i) world.submit("", {"u0@d0-0.test"});
    world.run_until(world.world.now() + 30min, [this] { return world.settled() || blocked(); });
  }
  bool blocked() const { return count(conf::DecisionAction::kBlock) > 0; }
  size_t count(conf::DecisionAction action) const {
    return static_cast<size_t>(std::ranges::count_if(world.log.events, [&](const conf::DeliveryEvent& event) {
      return event.kind == conf::EventKind::kDecision && event.decision->action == action;
    }));
  }
  const conf::SiteDecision& block() const {
    return *std::ranges::find_if(world.log.events, [](const conf::DeliveryEvent& event) {
              return event.kind == conf::EventKind::kDecision &&
                     event.decision->action == conf::DecisionAction::kBlock;
            })->decision;
  }
  void expect_no_violation() {
    world.judge();
    for (const std::string& violation : world.ledger.violations) ADD_FAILURE() << violation;
  }

  MxWorld world;
};

inline DrawnLimits example_limits() {
  DrawnLimits limits;
  limits.max_connections = 1;
  DrawnThreshold threshold;  // 90 % of at least 300
  threshold.window = 1h;
  threshold.block = 3h;
  threshold.max_block = 24h;
  limits.thresholds.push_back(threshold);
  return limits;
}

inline DrawnLimits plain_limits(uint32_t connections) {
  DrawnLimits limits = example_limits();
  limits.max_connections = connections;
  return limits;
}

}  // namespace sim
