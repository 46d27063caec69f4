// The result of a load as one HTML page.
#pragma once

#include <string>

#include "bench/load/generator.h"
#include "bench/load/options.h"

namespace bench::load {

std::string html_report(const LoadOptions& options, const LoadResult& result);

}  // namespace bench::load
