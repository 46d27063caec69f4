// What the receiver says at its end.
#pragma once

#include <string>
#include <vector>

#include "bench/sink/options.h"
#include "bench/sink/server.h"

namespace bench {

inline constexpr const char* kFailOn[] = {"broken", "lost", "duplicated", "reordered", "protocol"};

std::string text_summary(const SinkOptions& options, const Server& server);
std::string json_summary(const SinkOptions& options, const Server& server);  // one line
// Those of options.fail_on that came true, with their figures: "lost: 3".
std::vector<std::string> failures(const SinkOptions& options, const Server& server);

}  // namespace bench
