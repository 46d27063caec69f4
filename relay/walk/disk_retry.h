// What could not be read from the disk or written to it is tried again after this time, in every step of the
// walk alike.
#pragma once

#include <chrono>

#include "conf/vocab/time.h"

namespace relay {

inline constexpr conf::Duration kDiskRetry = std::chrono::minutes(10);
inline constexpr const char* kDiskRetryText = "in 10 minutes";  // for people

}  // namespace relay
