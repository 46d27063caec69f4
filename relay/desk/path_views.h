// What people may ask about a domain: how it is reached, and what holds there. Loop thread.
#pragma once

#include <functional>
#include <string>

#include "relay/admin/mx_view.h"
#include "relay/desk/path_history.h"
#include "relay/walk/transit.h"

namespace relay {

class PathViews {
 public:
  PathViews(Transit* transit, PathHistory history) : transit_(transit), history_(history) {}  // borrowed

  // See admin::Backend::explain(). Makes what is not there yet: the domain's entry, its route, its paths. The
  // sweep forgets them again.
  void explain(const std::string& domain, const std::string& source, const std::string& stream,
               std::function<void(admin::Explanation)> done);

 private:
  admin::Explanation explanation_of(queue::DomainEntry* domain, const std::string& source,
                                    const std::string& stream);

  Transit* transit_;
  const PathHistory history_;
};

}  // namespace relay
