// Orders of operators about limits, and what comes of them. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conf/vocab/time.h"

namespace relay::admin {

enum class MxAction : uint8_t { kBlock, kUnblock, kReset };

// To which paths: those whose rule has this name, or whose site (or one of its hosts) matches, or which the
// recipient domain leads to, or all. Or, whatever its path, to the mail of a stream. An order to block also
// holds for paths and mail to come.
struct MxOrder {
  MxAction action = MxAction::kBlock;
  std::string rule, site, domain;  // masks but for the domain; at most one is not empty
  std::string source;              // name; "": all
  std::string stream;              // a mask, and then nothing else is given; "": the order is about paths
  bool all = false;                // every path, or every one of `source`
  bool automatic = false;          // kUnblock: also what the replies brought
  bool dry_run = false;            // only counts
  std::string who;                 // gave the order; for the log
  conf::Duration block_for{0};     // kBlock; 0: until unblocked
  std::string why;                 // kBlock: for the log
};

struct OrderView {  // an order to block that is in force
  MxOrder order;
  std::optional<double> seconds;  // that it holds yet; nothing: until it is lifted
  // Why it means nothing by the present configuration: "no [[rule]] is named x"; "": it does.
  std::string problem = std::string();
};

struct MxOrderDone {
  uint64_t paths = 0;
  std::vector<std::string> names;  // "site from source", at most 50
  // Done too, and not in `paths`: where another rule decides by now, and something of the old one is there.
  uint64_t superseded = 0;
  // Paths that the order does not name and that their rule counts together with one that it does (one_site,
  // scope = "pool"): they share what is held against it.
  uint64_t together = 0;
  std::vector<std::string> names_together;  // at most 50
  uint64_t automatic = 0;   // kUnblock: paths left alone, as the replies block them and no order does
  uint64_t probing = 0;     // kUnblock: paths left alone, as probes or a ramp open them after a block
  bool lifted = false;      // kUnblock, kReset: an order with this very target was in force
  uint64_t held = 0;        // kUnblock, kReset: paths that another order holds still
  bool also_later = false;  // kBlock: it holds for paths and mail to come too
  std::vector<std::string> streams;  // that are meant, at most 50, when the order is about streams
  uint64_t messages = 0;             // of these that are queued
  std::string problem;               // why nothing was done: "no rule is named x"; "": see `paths`
  std::string notice;                // what the operator may not have meant so; "": nothing
};

}  // namespace relay::admin
