// The ledger that a command works on: the file itself, whether the relay runs or not.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bounce/ledger/sqlite_desk.h"
#include "relay/cli/command.h"

namespace relay::cli {

struct OpenLedger {
  std::unique_ptr<bounce::SqliteLedger> ledger;
  conf::QuarantineSettings settings;
  conf::WallTime now;

  bounce::LedgerDesk desk() const;  // of who runs the command
};

// `path` empty: that of the configuration. `make`: a file that is not there is made. Nothing, with a message
// and the exit status, when it cannot be opened.
std::optional<OpenLedger> open_ledger(const Invocation& invocation, const std::string& path, bool make,
                                      int* exit_code);

// Prints it on stderr; kFailed.
int failed(const conf::Error& error);

}  // namespace relay::cli
