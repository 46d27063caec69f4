// What a scrape gets. Pure.
#pragma once

#include <string>

#include "relay/admin/backend.h"
#include "relay/spool/spool.h"

namespace relay::admin {

// Prometheus text exposition format 0.0.4.
std::string metrics_text(const QueueSummary& summary, const spool::SpoolHealth& health,
                         const spool::SpoolCounters& counters);

}  // namespace relay::admin
