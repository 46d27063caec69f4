// The orders of operators about what is held against sites: block, unblock, reset. Loop thread.
#pragma once

#include "relay/admin/mx_view.h"
#include "relay/walk/transit.h"

namespace relay {

class LimitOrders {
 public:
  explicit LimitOrders(Transit* transit) : transit_(transit) {}

  // To all paths that are meant, and to what is held against sites that no path is open to. O(paths)
  admin::MxOrderDone carry_out(const admin::MxOrder& order);

 private:
  bool is_meant(const admin::MxOrder& order, const queue::Path& path) const;

  Transit* transit_;
};

}  // namespace relay
