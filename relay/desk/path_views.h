// What people may ask about where mail goes: how a domain is reached and what holds there, and which paths
// are busy or held back. Loop thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "relay/admin/mx_view.h"
#include "relay/desk/decision_history.h"
#include "relay/walk/transit.h"

namespace relay {

class PathViews {
 public:
  PathViews(Transit* transit, const DecisionHistory* decisions) : transit_(transit), decisions_(decisions) {}

  // See admin::Backend::explain(). Makes what is not there yet: the domain's entry, its route, its paths. The
  // sweep forgets them again.
  void explain(const std::string& domain, const std::string& source,
               std::function<void(admin::Explanation)> done);
  // See admin::Backend::paths(). O(paths)
  std::vector<admin::PathView> busiest(size_t limit);

 private:
  admin::Explanation explanation_of(queue::DomainEntry* domain, const std::string& source);

  Transit* transit_;
  const DecisionHistory* decisions_;
};

}  // namespace relay
