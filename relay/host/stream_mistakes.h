// What of [[stream]] is no error and yet most likely not meant; see silent_mistakes.h. Pure.
#pragma once

#include <vector>

#include "conf/config.h"
#include "conf/config_parser.h"

namespace relay {

// Identifiers of sources that do not exist, streams that no message reaches, sources that no mail leaves
// from. O(streams² x masks²), at load.
void add_stream_mistakes(const conf::Config& config, std::vector<conf::Problem>* out);

}  // namespace relay
