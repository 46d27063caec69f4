// Ids of messages: milliseconds since 1970 times 2^20, plus a counter. They rise even when the wall clock
// goes back.
#pragma once

#include <algorithm>

#include "conf/vocab/envelope.h"
#include "conf/vocab/time.h"

namespace relay::spool {

class MessageIds {
 public:
  conf::MessageId next(conf::WallTime now) {
    const int64_t millis = std::max<int64_t>(0, conf::unix_micros(now) / 1000);
    last_ = std::max(last_ + 1, static_cast<conf::MessageId>(millis) << 20);
    return last_;
  }
  // When the message with this id was accepted, to the millisecond (or later, when ids ran ahead of the
  // clock).
  static conf::WallTime time_of(conf::MessageId id) {
    return conf::WallTime(std::chrono::milliseconds(static_cast<int64_t>(id >> 20)));
  }
  // `id` was given out by an earlier run: what comes next is above it.
  void observe(conf::MessageId id) { last_ = std::max(last_, id); }

 private:
  conf::MessageId last_ = 0;
};

}  // namespace relay::spool
