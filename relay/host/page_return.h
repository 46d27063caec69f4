// Free memory goes back to the system beside the loop.
#pragma once

namespace relay {

// From now on a thread of the allocator gives free pages back, not the thread that frees memory: in a step of
// the loop that took up to 10 ms after a large queue was dropped (docs/performance.md). Call it when
// privileges are dropped, so that its thread has none. Does nothing where the program is built without
// jemalloc.
void return_pages_beside();

}  // namespace relay
