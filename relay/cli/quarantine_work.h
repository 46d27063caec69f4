// The work of `penstock quarantine`, one function for each of its commands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/cli/ledger_file.h"

namespace relay::cli {

struct QuarantineOptions {
  std::string ledger;  // path; empty: that of the configuration
  std::vector<std::string> addresses;
  std::string file;
  // What is meant.
  std::string status, domain, site, reason, text, rule, since, until;
  std::optional<std::string> list;
  bool all = false;
  uint64_t limit = 50, batch = 0, release_wave = 0, confirm_wave = 0;
  bool yes = false;
  bool as_json = false;
};

// Each returns the exit status; answers go to stdout, what is wrong to stderr.
int quarantine_list(const Invocation& invocation, const QuarantineOptions& options);
int quarantine_show(const Invocation& invocation, const QuarantineOptions& options);
int quarantine_history(const Invocation& invocation, const QuarantineOptions& options);
int quarantine_export(const Invocation& invocation, const QuarantineOptions& options);
int quarantine_waves(const Invocation& invocation, const QuarantineOptions& options);
int quarantine_add(const Invocation& invocation, const QuarantineOptions& options);
int quarantine_remove(const Invocation& invocation, const QuarantineOptions& options);
int quarantine_import(const Invocation& invocation, const QuarantineOptions& options);
int quarantine_release(const Invocation& invocation, const QuarantineOptions& options);
int quarantine_undo(const Invocation& invocation, const QuarantineOptions& options);

// The filter that the options make; nothing, with a message, when one of them is wrong.
std::optional<bounce::AddressFilter> filter_of(const QuarantineOptions& options, conf::WallTime now);
bool read_status(const std::string& text, std::optional<bounce::AddressStatus>* out);
bool read_reason(const std::string& text, std::optional<uint8_t>* out);
// One line; texts of servers are made harmless for a terminal.
std::string row_line(const bounce::AddressRow& row);

}  // namespace relay::cli
