// The command line of penstock-load.
#pragma once

#include <optional>

#include "bench/load/options.h"

namespace bench::load {

// The options; nothing when the program is to end with *status (help was asked for, or a mistake, which has
// been told).
std::optional<LoadOptions> read_command_line(int argc, char** argv, int* status);

}  // namespace bench::load
