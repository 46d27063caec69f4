// What would happen to the next message of a path: it may go now, or what it waits for. For people (explain,
// mx status): idle connections, other paths' idle connections that would make room and turns on shared lines
// are looked at as the Dispatcher does. Pure; loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "conf/vocab/time.h"
#include "mx/limits/admission.h"
#include "mx/limits/lease.h"
#include "relay/flow/path.h"
#include "relay/flow/path_gate.h"
#include "relay/flow/site_table.h"

namespace relay {

struct Forecast {
  struct Resting {  // a connection of the path that waits for a message
    const PathGate::Use* use = nullptr;
    uint32_t sent = 0;  // messages over it
  };
  std::vector<Resting> resting;
  bool relay_full = false;  // no connection is left of those of the whole relay
  // A connection of another path that rests at these full counters would make room; may be null.
  std::function<bool(const mx::Traffic* full)> gives_way;
  // When a connection of the path that rests where it may not send gives way to one to another host
  // (Opener::moves_at).
  conf::Instant moves = conf::kNever;

  // A reason with a time is said before one without: a connection ends, and then that time is what counts. A
  // block that is over becomes kProbing by being asked.
  mx::Admission next(const queue::Path& path, const mx::Lease& lease, conf::Instant now) const;

 private:
  mx::Admission over_resting(const queue::Path& path, conf::Instant now) const;
  mx::Admission over_new(const queue::Path& path, conf::Instant now) const;
  mx::Admission as_counted(const queue::Path& path, conf::Instant now) const;  // over a new one
  mx::Admission over_address(const queue::Path& path, mx::Traffic* traffic, mx::Traffic* host,
                             conf::Instant now) const;
  mx::Admission at(const queue::Path& path, const mx::RouteHost& host, const std::string& address,
                   conf::Instant now) const;
};

// A path that was never asked knows nothing yet of the counters that it shares with others: gets it those of
// all addresses that it may go to. O(addresses)
void know_counters(queue::SiteTable* sites, queue::Path* path);

}  // namespace relay
