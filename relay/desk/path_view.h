// A path as people see it: its limits with their places, its counters, and what keeps mail back now.
#pragma once

#include <cstdint>

#include "conf/vocab/time.h"
#include "relay/admin/mx_view.h"
#include "relay/desk/path_history.h"
#include "relay/flow/dispatcher.h"
#include "relay/flow/path.h"
#include "relay/flow/path_choice.h"

namespace relay {

// A block that is over becomes kProbing by being asked.
admin::PathView view_of(queue::Path* path, uint64_t in_flight, Dispatcher* dispatcher,
                        const PathHistory& history, conf::Instant now);
// `path`: from that source; null: there is none.
admin::SourceView view_of(const queue::PathChoice::Share& share, const queue::Path* path, conf::Instant now);

}  // namespace relay
