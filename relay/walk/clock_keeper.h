// Carries the clock of ages and due times over a restart: its anchor is kept in the spool. Loop thread, but
// for clock().
#pragma once

#include <string>

#include "relay/spool/relay_clock.h"
#include "relay/spool/spool.h"

namespace relay {

class ClockKeeper {
 public:
  // See spool::RelayClock.
  ClockKeeper(spool::Spool* spool, const conf::Clock* system, std::string boot);
  const spool::RelayClock& clock() const { return clock_; }
  // First of all at the start: what else is kept is in its time.
  void restore();
  // Now and then, while there is mail that ages.
  void step(conf::Instant now, bool queued);
  void keep();

 private:
  spool::Spool* spool_;
  spool::RelayClock clock_;
  conf::Instant next_{};
};

}  // namespace relay
