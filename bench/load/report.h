// What the generator says at its end.
#pragma once

#include <string>

#include "bench/load/generator.h"
#include "bench/load/options.h"

namespace bench {

std::string text_report(const LoadOptions& options, const LoadResult& result);
std::string json_report(const LoadOptions& options, const LoadResult& result);

}  // namespace bench
