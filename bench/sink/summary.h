// What the receiver says at its end.
#pragma once

#include <string>

#include "bench/sink/options.h"
#include "bench/sink/server.h"

namespace bench {

std::string text_summary(const SinkOptions& options, const Server& server);
std::string json_summary(const SinkOptions& options, const Server& server);  // one line

}  // namespace bench
