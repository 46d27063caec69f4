// Keeps what the limiter counted on disk, so that a restart or a crash never lets a quota be broken: every
// two seconds while something is counted, all counters that changed and the time go to the spool in one
// batch. What is counted may only go on while the last batch is recent (mx::Lease); after a crash the time
// between the last batch and the end of its lease counts as used up. Loop thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "conf/vocab/time.h"
#include "mx/limits/lease.h"
#include "mx/limits/limiter_table.h"
#include "relay/spool/spool.h"

namespace relay {

class CounterKeeper {
 public:
  // Under this key the spool keeps the orders of operators, which are none of the counters.
  static constexpr std::string_view kOrdersKey = "operator-orders";

  CounterKeeper(spool::Spool* spool, mx::LimiterTable* limiters, const conf::Clock* clock)
      : spool_(spool), limiters_(limiters), clock_(clock) {}

  // At start, before anything is sent.
  conf::Status restore();
  // Writes what is due. `wanted`: somebody waits for the lease.
  void step(conf::Instant now, bool wanted);
  conf::Instant next_wake() const;
  // Something was decided that a crash must not undo, such as a block: it is written in the next step.
  void hurry() { next_save_ = {}; }
  // The last words of an orderly end; the caller flushes the spool.
  void close();
  const mx::Lease& lease() const { return lease_; }
  std::function<void()> on_renewed = [] {};

 private:
  void save(conf::Instant now, size_t most, bool last);

  spool::Spool* spool_;
  mx::LimiterTable* limiters_;
  const conf::Clock* clock_;
  mx::Lease lease_;
  mx::Moment round_;      // when the round of writes under way began
  bool spoilt_ = false;   // a part of it did not reach the disk
  bool saving_ = false;   // a write is on its way
  bool failing_ = false;  // said once
  conf::Instant next_save_{};
};

}  // namespace relay
