// Looks at all sites, some in each step, for the summary and the gauges: which are busiest, how many paths
// are held back. Loop thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/flow/dispatcher.h"
#include "relay/flow/site_table.h"
#include "relay/journal/gauges.h"

namespace relay {

class Survey {
 public:
  Survey(const queue::SiteTable* sites, Dispatcher* dispatcher) : sites_(sites), dispatcher_(dispatcher) {}

  // Goes on with the round under way, or begins one. True: a round has ended, and latest() is new.
  bool step(conf::Instant now);
  bool under_way() const { return part_ != 0; }
  // A whole round now, if the last one showed that there is little to look at; else nothing is done.
  void refresh_if_small(conf::Instant now);

  struct Result {
    journal::LimiterGauges limiter;
    std::vector<journal::SiteGauges> sites;  // the busiest first, at most 50
    size_t paths = 0;
    conf::Instant next_change = conf::kNever;  // of `limiter`, by time alone: a block or a ramp runs out
  };
  const Result& latest() const { return latest_; }

 private:
  void look_at(queue::Path* path, conf::Instant now);
  void keep();
  void finish(conf::Instant now);

  const queue::SiteTable* sites_;
  Dispatcher* dispatcher_;
  size_t part_ = 0;  // where the round goes on
  journal::LimiterGauges limiter_;
  size_t paths_ = 0;
  conf::Instant next_change_ = conf::kNever;
  // Only so many sites as are shown are kept, whatever their number: the end of a round costs nothing then.
  const queue::Site* site_ = nullptr;  // in hand, within one step
  journal::SiteGauges in_hand_;
  size_t most_waiting_ = 0;                   // on the path whose reason stands in it
  std::vector<journal::SiteGauges> busiest_;  // a heap, the least busy in front
  std::unordered_map<const queue::Path*, uint32_t> in_flight_;
  Result latest_;
};

}  // namespace relay
