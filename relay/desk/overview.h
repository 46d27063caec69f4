// The state of the whole relay in numbers: made on the loop once a second while anything happens, and kept
// for those that must not ask the loop. Loop thread, but for last_known().
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "relay/admin/backend.h"
#include "relay/desk/survey.h"
#include "relay/journal/gauges.h"
#include "relay/journal/journal.h"
#include "relay/journal/metrics.h"
#include "relay/journal/result_tallies.h"
#include "relay/walk/transit.h"

namespace relay {

class Overview {
 public:
  struct Parts {  // all are borrowed
    Transit* transit = nullptr;
    const journal::Journal* journal = nullptr;
    const journal::Metrics* metrics = nullptr;
    const journal::ResultTallies* results = nullptr;
    std::function<uint64_t()> inbound_connections = [] { return uint64_t{0}; };
    std::function<uint64_t()> log_lost = [] { return uint64_t{0}; };
    std::function<std::vector<conf::DoorCount>()> refused_at_door = [] {  // any thread
      return std::vector<conf::DoorCount>();
    };
    std::function<journal::QuarantineGauges()> quarantine = [] { return journal::QuarantineGauges(); };
  };
  explicit Overview(Parts parts);

  // As of now; of many sites, what the last round over them found.
  admin::QueueSummary now();
  // At most a second old while anything happens; without the reasons in words. Any thread.
  admin::QueueSummary last_known() const;

  void step(conf::Instant now);
  bool is_under_way() const { return survey_.under_way(); }  // wants to go on at once
  // Gauges change then though nothing happens.
  conf::Instant next_wake() const { return std::max(next_survey_, survey_.latest().next_change); }

 private:
  journal::Gauges gauges(conf::Instant now) const;

  Parts parts_;
  Survey survey_;
  journal::GaugeBoard board_;
  conf::Instant started_, next_survey_;
};

}  // namespace relay
