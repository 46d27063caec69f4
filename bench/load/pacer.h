// When messages are due in an open loop. Pure: due times follow from the rate alone, never from how fast the
// relay answers, which is what keeps coordinated omission out of the figures.
#pragma once

#include <cstdint>

#include "conf/vocab/random.h"

namespace bench::load {

class Pacer {
 public:
  // `rate` messages a second, above 0. Evenly spaced, the first at `start_us`; or `poisson`: with
  // exponentially distributed gaps, as many independent senders make them.
  Pacer(double rate, bool poisson, uint64_t seed, int64_t start_us);

  int64_t due_us() const { return due_us_; }  // of the next message
  void advance();                             // the next message was handed out

 private:
  double rate_;
  bool poisson_;
  conf::Random random_;
  int64_t start_us_;
  int64_t due_us_;
  uint64_t handed_out_ = 0;
  double poisson_at_us_ = 0;
};

}  // namespace bench::load
