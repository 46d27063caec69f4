// What very many sources cost: a thousand of them, all blocked at one site.
#pragma once

#include <cstddef>

namespace blocked {

void run_source_phases(size_t sources);

}  // namespace blocked
