// Times on the command line: an age, or a date in UTC.
#pragma once

#include <string>

#include "conf/vocab/result.h"
#include "conf/vocab/time.h"

namespace relay::cli {

// "36h", "7d": so long before `now`; "2026-11-25", "2026-11-25 14:30", "2026-11-25T14:30:05Z": then. "" gives
// `otherwise`.
conf::Result<conf::WallTime> parse_moment(const std::string& text, conf::WallTime now,
                                          conf::WallTime otherwise);
// "2026-11-25 14:30:05"; "-" for the epoch, which means none.
std::string moment_text(conf::WallTime at);

}  // namespace relay::cli
