#include <cstdio>
#include <exception>

#include "relay/cli/cli.h"

int main(int argc, char** argv) {
  try {
    return relay::cli::run(argc, argv);
  } catch (const std::exception& error) {  // out of memory, or a library's own
    std::fprintf(stderr, "penstock: %s\n", error.what());
    return 1;
  }
}
