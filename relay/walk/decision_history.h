// The latest decisions about all paths, for people who ask why mail waits. One thread.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "conf/vocab/event.h"
#include "relay/admin/mx_view.h"

namespace relay {

class DecisionHistory {
 public:
  static constexpr size_t kKept = 2000;

  // `event` has a decision.
  void add(const conf::DeliveryEvent& event) {
    all_.push_front({event.time, event.decision});
    if (all_.size() > kKept) all_.pop_back();
  }
  // Of one path, the newest first, at most `limit`. O(kKept).
  std::vector<admin::DecisionView> of(const std::string& site, const std::string& source,
                                      size_t limit) const {
    std::vector<admin::DecisionView> found;
    for (const admin::DecisionView& each : all_) {
      if (found.size() == limit) break;
      if (each.decision->site == site && each.decision->source == source) found.push_back(each);
    }
    return found;
  }

 private:
  std::deque<admin::DecisionView> all_;  // the newest first
};

}  // namespace relay
