// Judges what operators ordered against what the receivers saw: nothing is sent where an order to block
// holds, and mail does not wait where none does. Knows only the orders as they were given.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/mx_history.h"

namespace sim {

struct GivenOrder {  // to block
  conf::Instant from{}, until = conf::kNever;
  std::vector<std::vector<bool>> means;  // [site][source]
  // Of the site that is meant; -1: all are. Mail of the others may wait with it, or not: the path is theirs
  // too.
  int domain = -1;
  int stream = -1;  // whose mail is meant; -1: all
};
struct HandedIn {
  conf::Instant at{};
  size_t site = 0;
  std::string from;  // of this message alone
  int domain = 0;    // of the site
  int stream = 0;
  conf::Instant over = conf::kNever;  // its validity: nothing of it is sent after that
};
struct RelayDown {
  conf::Instant from{}, until{};
};
struct OrderHistory {
  std::vector<GivenOrder> orders;
  std::vector<HandedIn> messages;
  std::vector<RelayDown> downs;
  conf::Instant end{};
};

// Every broken promise in words, at most twenty. No receiver refuses, no limit but the orders holds mail.
std::vector<std::string> judge_orders(const History& seen, const OrderHistory& told);

}  // namespace sim
