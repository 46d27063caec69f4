// A delivery (a message and one of its recipient domains) as people see it. Plain values.
#pragma once

#include <optional>
#include <string>

#include "relay/admin/census.h"

namespace relay::admin {

struct DeliveryView {
  std::string domain;
  WaitingState state = WaitingState::kReady;
  std::string site, rule;  // of the present route, or of the last one; "": not known yet
  // That it waits for, leaves from, or was greylisted from and comes back from; "": drawn when it is due.
  std::string source;
  std::string reason;                  // what keeps it back; "": nothing
  uint32_t attempts = 0;               // made since the start, or that its schedule counts
  std::optional<double> next_seconds;  // when that ends; nothing: nobody knows
};

}  // namespace relay::admin
