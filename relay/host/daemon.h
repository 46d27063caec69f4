// The daemon: puts the parts together, runs the loop, obeys signals.
#pragma once

#include <string>

namespace relay {

// Runs until SIGTERM or SIGINT. 0: ended in order; 1: could not start, the reason is on stderr; 2: the
// configuration has errors, all of them on stderr.
int run_daemon(const std::string& config_path);

}  // namespace relay
