// What the generator says at its end, as text and as JSON.
#pragma once

#include <string>

#include "bench/load/generator.h"
#include "bench/load/options.h"

namespace bench::load {

// What the user of the relay waits for. In a closed loop the service time is the same, but for messages that
// were sent again on another connection.
inline bool response_differs(const LoadOptions& options, const LoadResult& result) {
  return options.rate > 0 || result.tally.resent > 0;
}
std::string text_report(const LoadOptions& options, const LoadResult& result);
// One line with its end.
std::string json_report(const LoadOptions& options, const LoadResult& result);

}  // namespace bench::load
