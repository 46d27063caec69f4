// What an operator may set of the quarantine of addresses: [quarantine] and [outage_guard].
// docs/quarantine.md explains the life of an address, docs/configuration.md the keys.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conf/vocab/time.h"

namespace conf {

// What a listener does with a recipient whose address may not be written to.
enum class QuarantineAction : uint8_t {
  kRefuse,  // 550 5.1.1 at RCPT
  kReport,  // accepted, then reported to the sender as failed
  kLog,     // accepted, then only logged
};
// Whose list an automatic decision goes to. Entries of every list hold, whatever this says.
enum class QuarantineLists : uint8_t { kGlobal, kSenderDomain, kUser };

struct QuarantineSettings {  // [quarantine]
  bool enabled = true;       // enabled
  std::string path;          // path of the ledger; empty: ledger/ledger.db beside the spool
  QuarantineAction action = QuarantineAction::kRefuse;  // action = "refuse" | "report" | "log"
  QuarantineLists lists = QuarantineLists::kGlobal;     // lists = "global" | "sender-domain" | "user"
  bool fold_local_part = true;         // fold_local_part: "Ann@x" and "ann@x" are one address
  uint32_t max_errors = 5;             // max_errors: this many counted errors mean quarantine
  Duration error_interval = 24h;       // error_interval: at most one error counts in this time
  Duration error_tolerance = 5min;     // error_tolerance: so much less than the interval still counts
  Duration clean_after = 240h;         // clean_after: without an error for so long the counter starts again
  Duration mailbox_full_after = 720h;  // mailbox_full_after: the same, when the mailbox was full
  Duration second_hard_after{0};       // second_hard_after: 0: the first Hard decides
  bool count_unqualified = true;  // count_unqualified: errors that nobody has qualified yet count as Soft
  Duration keep_history = 8760h;  // keep_history: of decisions; a year
  Duration keep_reports = 9600h;  // keep_reports: of the hourly counts; 400 days
  std::vector<std::string> bypass_users;  // bypass_users: [[user]] names that may write to anybody
  std::string bypass_header;  // bypass_header: a field that lets a message pass ("report" and "log" only)
  bool operator==(const QuarantineSettings&) const = default;
};

struct OutageGuardSettings {              // [outage_guard]
  bool enabled = true;                    // enabled
  double expected_share = 0.02;           // expected_share: of good addresses that turn Hard in calm times
  double outage_share = 0.2;              // outage_share: from this share on it is an outage
  double evidence = 15.0;                 // evidence: log-likelihood ratio at which a wave is declared
  uint32_t cold_run = 30;                 // cold_run: Hard errors in a row, where no address is known
  uint32_t cold_deliveries = 200;         // cold_deliveries: the site must have delivered as many before
  double cold_share = 0.2;                // cold_share: and refused at most this share
  Duration known_good = 4320h;            // known_good: how long a delivery speaks for an address; 180 days
  uint32_t known_addresses = 10'000'000;  // known_addresses: for how many of them there is room
  Duration calm_after = 6h;               // calm_after: a wave ends when no Hard came for so long
  bool operator==(const OutageGuardSettings&) const = default;
};

}  // namespace conf
