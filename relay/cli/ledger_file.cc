#include "relay/cli/ledger_file.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "relay/cli/cli.h"
#include "relay/cli/operator_name.h"

namespace relay::cli {

bounce::LedgerDesk OpenLedger::desk() const { return {ledger.get(), settings, operator_name(), now}; }

std::optional<OpenLedger> open_ledger(const Invocation& invocation, const std::string& path, bool make,
                                      int* exit_code) {
  OpenLedger open;
  open.now = conf::SystemClock().wall();
  std::string file = path;
  // A ledger that is named needs no configuration; its rules are then the shipped ones.
  if (path.empty() || std::filesystem::exists(invocation.config_path)) {
    const conf::ConfigPtr config = read_config(invocation.config_path);
    if (config == nullptr) {
      *exit_code = kUsage;
      return std::nullopt;
    }
    open.settings = config->quarantine;
    if (file.empty()) file = bounce::ledger_path(config->quarantine, config->spool.path);
  }
  std::error_code code;
  if (!make && !std::filesystem::exists(file, code)) {
    *exit_code = failed(
        {conf::ErrorCode::kNotFound,
         "there is no ledger " + file + "; the relay makes it at its start, and so do `add` and `import`"});
    return std::nullopt;
  }
  auto ledger = bounce::SqliteLedger::open_as_it_is(file);
  if (!ledger.ok()) {
    *exit_code = failed(ledger.error());
    return std::nullopt;
  }
  open.ledger = std::move(*ledger);
  return open;
}

int failed(const conf::Error& error) {
  std::fprintf(stderr, "penstock: %s\n", error.detail.c_str());
  return kFailed;
}

}  // namespace relay::cli
