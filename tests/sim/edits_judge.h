// Judges what the receivers saw against rules that were edited meanwhile: whatever was counted under the
// rules before belongs to those that decide at the moment. Knows only the rules as they were written.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/mx_history.h"

namespace sim {

struct WrittenRule {
  std::string name;
  int site = -1;            // -1: all sites
  bool one_domain = false;  // only the first domain of the site
  CountedBy scope = CountedBy::kSource;
  bool one_site = false;
  uint32_t max_connections = 5, per_hour = 100, per_minute = 12, burst = 1;
};
using Rules = std::vector<WrittenRule>;  // the first that matches decides; the last one matches always

struct EditHistory {
  std::vector<std::pair<conf::Instant, Rules>> rules;  // each from that time on
};

// The sender names the domain: "d1-0.m17@sender.test".
std::string sender_to(size_t site, size_t domain, uint64_t message);
size_t decides(const Rules& rules, size_t site, size_t domain);  // position

// Every broken promise in words, at most twenty.
std::vector<std::string> judge_edits(const History& seen, const EditHistory& told);

}  // namespace sim
