#include "relay/host/page_return.h"

#ifdef PENSTOCK_JEMALLOC
#include <jemalloc/jemalloc.h>

// Read when the program begins: blocks above 8 MB would otherwise be given back at once, by whoever frees
// them.
const char* malloc_conf = "oversize_threshold:0";  // declared by jemalloc
#endif

namespace relay {

void return_pages_beside() {
#ifdef PENSTOCK_JEMALLOC
  bool wanted = true;
  (void)mallctl("background_thread", nullptr, nullptr, &wanted,
                sizeof(wanted));  // else as before: slower steps
#endif
}

}  // namespace relay
