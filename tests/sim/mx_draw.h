// Draws MX rules at random and writes them as a configuration.
#pragma once

#include <string>
#include <vector>

#include "conf/vocab/random.h"
#include "tests/sim/mx_history.h"

namespace sim {

// Fills rules and rule_of for so many sites and sources.
void draw_rules(conf::Random* random, size_t sites, size_t sources, History* history);
// New values for some of the rules, from `now` on; scopes stay, so that counters go on.
void draw_anew(conf::Random* random, conf::Instant now, History* history);

struct ConfigDraw {
  size_t sources = 1;
  bool new_source = false;  // the last one climbs ladders
  conf::Duration validity{0};
  uint32_t max_outbound_connections = 100;
  uint32_t max_recipients = 100;
  size_t streams = 0;  // "stream<i>", of the senders at s<i>.test; all sources
};
// The configuration with the latest version of each rule.
std::string write_configuration(const ConfigDraw& draw, const std::vector<DrawnRule>& rules);

}  // namespace sim
