#include "relay/counter_keeper.h"

#include <cstdio>
#include <utility>
#include <vector>

namespace relay {

conf::Status CounterKeeper::restore() {
  const mx::Moment moment{clock_->now(), clock_->wall()};
  size_t bad = 0;
  conf::Status status = spool_->kept(
      [&](std::string_view key, std::string_view value) {
        if (key == mx::Lease::kKey) {
          conf::WallTime begin, end;
          if (mx::Lease::gap(value, moment.wall, &begin, &end)) limiters_->assume_gap(begin, end);
        } else if (!limiters_->restore(key, value, moment)) {
          ++bad;
        }
      },
      [&bad](const std::string&, const std::string&) { ++bad; });
  if (bad > 0)
    std::fprintf(stderr, "penstock: %zu counters of MX rules could not be read; they begin anew\n", bad);
  return status;
}

void CounterKeeper::step(conf::Instant now, bool wanted) {
  if (saving_ || now < next_save_) return;
  if (wanted || limiters_->changed()) save(now, false);
}

conf::Instant CounterKeeper::next_wake() const {
  return saving_ || !limiters_->changed() ? conf::kNever : next_save_;
}

void CounterKeeper::save(conf::Instant now, bool last) {
  const mx::Moment moment{now, clock_->wall()};
  std::vector<std::pair<std::string, std::string>> values = limiters_->take_changes(moment);
  values.emplace_back(mx::Lease::kKey, mx::Lease::record(moment.wall, last));
  saving_ = true;
  next_save_ = now + mx::Lease::kPeriod;
  spool_->keep_all(std::move(values), [this, now](const conf::Status& status) {
    saving_ = false;
    if (status.ok()) {
      failing_ = false;
      lease_.renewed(now);
      on_renewed();
      return;
    }
    limiters_->not_written();
    if (!std::exchange(failing_, true)) {
      std::fprintf(
          stderr,
          "penstock: the counters of MX rules cannot be written (%s): mail that an hourly quota, a rate "
          "or a ladder limits waits until they can\n",
          status.error().detail.c_str());
    }
  });
}

void CounterKeeper::close() { save(clock_->now(), true); }

}  // namespace relay
