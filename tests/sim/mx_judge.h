// Judges a history against its rules, from what the receivers saw. Uses nothing of the limiter: it counts by
// itself, in the plainest way.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/mx_history.h"

namespace sim {

// Every broken promise in words, at most twenty.
std::vector<std::string> judge_limits(const History& history);

// The name of what is counted together.
std::string traffic_name(const History& history, size_t site, size_t source, const std::string& address);
std::string standing_name(const History& history, size_t site, size_t source);

}  // namespace sim
