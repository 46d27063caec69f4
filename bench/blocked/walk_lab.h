// The whole walk with a long queue: a start with cold DNS, a day on which no name server answers, and orders
// about every message. A spool in memory, whose own work is not counted.
#pragma once

#include <cstddef>

namespace blocked {

// Prints a line for each phase. `count`: messages, and paths that are blocked.
void run_walk_phases(size_t count);

}  // namespace blocked
