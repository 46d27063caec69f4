// Sends deliveries that stand ready at a path through the walk again, for they may belong elsewhere now:
// after a reload, when all sites take their new settings in parts, when a source is left out, and when the
// route of a domain leads elsewhere. Loop thread.
#pragma once

#include <deque>
#include <vector>

#include "relay/flow/dispatcher.h"
#include "relay/flow/site_table.h"
#include "relay/walk/walk.h"

namespace relay {

class Rerouting {
 public:
  // All are borrowed.
  Rerouting(queue::SiteTable* sites, Dispatcher* dispatcher, Walk* walk)
      : sites_(sites), dispatcher_(dispatcher), walk_(walk) {}

  // SiteTable::reload() was called: goes over all sites once more. Does the first part; all, when there is
  // little.
  void begin();
  // All that stands ready on the path.
  void add(queue::Path* path);
  // A route that was renewed leads elsewhere; the domain still has the old one. With the same hosts in the
  // same order its mail stays and uses the new addresses.
  void leave_old_way(const queue::DomainEntry& domain, const mx::RoutePtr& found,
                     const std::vector<conf::Source>& sources);
  void step();
  bool under_way() const { return looking_ || !paths_.empty() || sites_->is_gathering(); }

 private:
  queue::SiteTable* sites_;
  Dispatcher* dispatcher_;
  Walk* walk_;
  bool looking_ = false;            // not all sites are seen yet
  std::deque<queue::Path*> paths_;  // with mail that has to be gone over
};

}  // namespace relay
