// What all parts of the flow go by: the settings in force, the time, and whether anything new may begin. The
// Dispatcher writes it, its parts read it. Loop thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "conf/config.h"
#include "conf/vocab/time.h"

namespace relay {

struct FlowState {
  conf::ConfigPtr config;
  const conf::Clock* clock = nullptr;
  size_t network_bears = SIZE_MAX;  // connections at once, whatever the configuration says
  bool paused = false;              // no new transaction and no new connection for now
  bool stopping = false;            // ... and none ever again

  size_t most_connections() const {
    return std::min<size_t>(config->max_outbound_connections, network_bears);
  }
  conf::Instant now() const { return clock->now(); }
};

}  // namespace relay
