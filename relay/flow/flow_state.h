// What all parts of the flow go by: the settings in force, the time, and whether anything new may begin. The
// Dispatcher writes it, its parts read it. Loop thread.
#pragma once

#include "conf/config.h"
#include "conf/vocab/time.h"

namespace relay {

struct FlowState {
  conf::ConfigPtr config;
  const conf::Clock* clock = nullptr;
  bool paused = false;    // no new transaction and no new connection for now
  bool stopping = false;  // ... and none ever again

  conf::Instant now() const { return clock->now(); }
};

}  // namespace relay
