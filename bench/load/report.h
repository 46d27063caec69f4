// What the generator says at its end, as text and as JSON.
#pragma once

#include <string>

#include "bench/load/generator.h"
#include "bench/load/options.h"

namespace bench::load {

std::string text_report(const LoadOptions& options, const LoadResult& result);
// One line with its end.
std::string json_report(const LoadOptions& options, const LoadResult& result);

}  // namespace bench::load
