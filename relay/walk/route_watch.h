// Looks again at mail that waits on a path: whether the MX records of its domain still lead there (what waits
// behind a rate or a block must not stay with hosts that are gone), and whether another source may send it
// sooner (a block or a spent ladder is of one source). Goes over all paths every ten seconds, in parts, and
// asks for the routes of waiting mail when their time to live is over. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include "conf/vocab/time.h"
#include "relay/flow/path_choice.h"
#include "relay/flow/site_table.h"
#include "relay/queue/domain_table.h"

namespace relay {

class RouteWatch {
 public:
  static constexpr conf::Duration kPeriod = std::chrono::seconds(10);  // of the rounds over all paths
  static constexpr conf::Duration kRoutes = std::chrono::seconds(30);  // of the looks at the routes of a path

  struct Parts {
    queue::SiteTable* sites = nullptr;
    const queue::PathChoice* choice = nullptr;
    queue::DomainTable* domains = nullptr;
    const conf::Clock* clock = nullptr;
    // The route of the domain is to be found anew: domain.routing until it is. It may come within the call.
    std::function<void(queue::DomainEntry*)> ask;
    // The delivery, which is ready on a path, is to find its way from the beginning.
    std::function<void(queue::Delivery*)> move;
  };
  explicit RouteWatch(Parts parts) : parts_(std::move(parts)) {}

  // A source was blocked or opened: the next round begins at once.
  void hurry() { next_round_ = conf::Instant{}; }
  // `waiting`: how many deliveries stand ready; with none there is nothing to do.
  void step(conf::Instant now, size_t waiting);
  conf::Instant next_wake(size_t waiting) const;

 private:
  enum class Verdict : uint8_t { kStays, kMoves, kMaySpill };
  struct Due {
    queue::Path* path = nullptr;
    bool routes = false;      // of its mail are to be looked at
    bool spills = false;      // another source may be free
    bool again_soon = false;  // a route is being asked for
  };
  void collect(queue::Path* path, conf::Instant now);
  bool look_at_some(Due* due, conf::Instant now);  // false: the round over its mail is over
  Verdict judge(uint32_t domain, Due* due, conf::Instant now);

  Parts parts_;
  std::deque<Due> due_;
  conf::Instant next_round_{};
  size_t part_ = 0;                         // of the table of sites: where the round goes on
  bool collecting_ = false;                 // a round is under way
  const queue::Site* looked_at_ = nullptr;  // within one step
  queue::PathChoice::Outlook outlook_;      // of that site
  size_t asks_left_ = 0;                    // in this step
  size_t looks_left_ = 0;
};

}  // namespace relay
