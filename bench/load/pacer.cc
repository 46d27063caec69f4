#include "bench/load/pacer.h"

#include <cmath>

namespace bench::load {

Pacer::Pacer(double rate, bool poisson, uint64_t seed, int64_t start_us)
    : rate_(rate), poisson_(poisson), random_(seed), start_us_(start_us), due_us_(start_us) {}

void Pacer::advance() {
  ++handed_out_;
  if (poisson_) {
    poisson_at_us_ -= std::log(1 - random_.unit()) * 1e6 / rate_;
    due_us_ = start_us_ + static_cast<int64_t>(poisson_at_us_);
  } else {
    // From the count, not by adding a rounded gap: the rate stays exact however long it goes on.
    due_us_ = start_us_ + static_cast<int64_t>(static_cast<double>(handed_out_) * 1e6 / rate_);
  }
}

}  // namespace bench::load
