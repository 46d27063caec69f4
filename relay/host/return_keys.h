// The keys that sign return paths, read from the file that [returns] keys names. Any thread.
#pragma once

#include <memory>
#include <vector>

#include "bounce/return_path.h"
#include "conf/config.h"
#include "conf/config_parser.h"

namespace relay {

// Null without [returns] keys, and when there is an error among `*problems`: the file cannot be read, or a
// line of it is wrong. A file that everybody may read is a warning.
std::shared_ptr<const bounce::ReturnKeys> read_return_keys(const conf::Config& config,
                                                           std::vector<conf::Problem>* problems);

}  // namespace relay
