// A bounce that came back hours after the message was taken counts for the thresholds of its destination as a
// refusal in a session does, when [returns] count_late says so. Only confirmed ones are heard of: those that
// anybody may forge would let anybody block a destination; and each message once for a recipient, however
// often its receiver reports it. A feed of the journal, on the loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "conf/config.h"
#include "relay/flow/path_gate.h"
#include "relay/flow/site_table.h"
#include "relay/journal/feed.h"
#include "relay/journal/first_reports.h"
#include "relay/walk/route_finder.h"

namespace relay {

class LateBounces final : public journal::Feed {
 public:
  struct Parts {  // all are borrowed but the configuration
    conf::ConfigPtr config;
    const conf::Clock* clock = nullptr;
    RouteFinder* routes = nullptr;
    queue::SiteTable* sites = nullptr;
    PathGate* gate = nullptr;
  };
  explicit LateBounces(Parts parts) : parts_(std::move(parts)) {}

  journal::FeedClass feed_class() const override { return journal::FeedClass::kBestEffort; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override;
  uint64_t through() const override { return last_; }
  void reload(conf::ConfigPtr config) { parts_.config = std::move(config); }

 private:
  void count(queue::DomainEntry* domain, const std::string& source, const mx::Outcome& outcome);

  Parts parts_;
  journal::FirstReports first_;
  size_t asked_ = 0;  // for routes
  uint64_t last_ = 0;
};

}  // namespace relay
