#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "relay/cli/cli.h"

int main(int argc, char** argv) {
  try {
    const int status = relay::cli::run(argc, argv);
    // A script that keeps the output must hear when it is not all there.
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    std::fprintf(stderr, "penstock: the output cannot be written: %s\n", std::strerror(errno));
    return status == 0 ? 1 : status;
  } catch (const std::exception& error) {  // out of memory, or a library's own
    std::fprintf(stderr, "penstock: %s\n", error.what());
    return 1;
  }
}
