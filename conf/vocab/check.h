// CHECK: an invariant of ours that must hold in release builds too. A broken one ends the process with the
// place and the expression; the spool makes that safe for mail (every acknowledged message is on disk).
#pragma once

#include <cstdio>
#include <cstdlib>

namespace conf {

[[noreturn]] inline void check_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "penstock: %s:%d: CHECK failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace conf

#define CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::conf::check_failed(#expression, __FILE__, __LINE__))
