// The command line of penstock: one file per sub-command.
#pragma once

namespace relay::cli {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,  // the operation failed
  kUsage = 2,   // wrong usage, or a configuration with errors
};

int run(int argc, char** argv);

}  // namespace relay::cli
