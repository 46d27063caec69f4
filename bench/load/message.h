// One message of the load. What it looks like follows from its number alone (content.h), so that it can be
// sent again without being kept.
#pragma once

#include <cstdint>

namespace bench::load {

struct Message {
  uint64_t number = 0;
  int64_t due_us = 0;   // response time counts from here; without a rate from when it was first sent
  int64_t sent_us = 0;  // its session was free for it and had its envelope; service time counts from here
  int64_t content_us = 0;
  uint64_t bytes = 0;
  uint32_t tries = 0;  // that ended with a lost connection
};

}  // namespace bench::load
