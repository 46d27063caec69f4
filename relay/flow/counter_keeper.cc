#include "relay/flow/counter_keeper.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "conf/standard_error.h"
#include "relay/spool/relay_clock.h"

namespace relay {

namespace {

constexpr size_t kChunk = 1000;  // counters of one write: about a millisecond of the loop

}  // namespace

conf::Status CounterKeeper::restore() {
  const mx::Moment moment{clock_->now(), clock_->wall()};
  size_t bad = 0;
  conf::Status status = spool_->kept(
      [&](std::string_view key, std::string_view value) {
        if (key == spool::RelayClock::kKey || key == kOrdersKey) return;  // read by others
        if (key == mx::Lease::kKey) {
          conf::WallTime begin, end;
          if (mx::Lease::gap(value, moment.wall, &begin, &end)) limiters_->assume_gap(begin, end);
        } else if (!limiters_->restore(key, value, moment)) {
          ++bad;
        }
      },
      [&bad](const std::string&, const std::string&) { ++bad; });
  if (bad > 0) conf::say(std::to_string(bad) + " counters of MX rules could not be read; they begin anew");
  return status;
}

void CounterKeeper::step(conf::Instant now, bool wanted) {
  if (saving_ || (limiters_->all_taken() && now < next_save_)) return;
  if (wanted || limiters_->changed()) save(now, kChunk, false);
}

conf::Instant CounterKeeper::next_wake() const {
  if (saving_ || !limiters_->changed()) return conf::kNever;
  return limiters_->all_taken() ? next_save_ : conf::Instant{};
}

// A round of writes ends with its time: that at which it began, for what was written first may have changed
// since. One of which a part did not reach the disk has no end. The last one of all ends when nothing is
// left.
void CounterKeeper::save(conf::Instant now, size_t most, bool last) {
  const mx::Moment moment{now, clock_->wall()};
  if (limiters_->all_taken()) {
    round_ = moment;
    spoilt_ = false;
    next_save_ = now + mx::Lease::kPeriod;
  }
  std::vector<std::pair<std::string, std::string>> values = limiters_->take_changes(moment, most);
  const bool whole = limiters_->all_taken() && !spoilt_ && !(last && limiters_->changed());
  if (whole) values.emplace_back(mx::Lease::kKey, mx::Lease::record(round_.wall, last));
  saving_ = true;
  spool_->keep_all(std::move(values), [this, whole, at = round_.now](const conf::Status& status) {
    saving_ = false;
    if (status.ok()) {
      failing_ = false;
      if (!whole) return;
      lease_.renewed(at);
      on_renewed();
      return;
    }
    limiters_->not_written();
    lease_.failed();
    spoilt_ = true;
    if (!std::exchange(failing_, true)) {
      conf::say("the counters of MX rules cannot be written (" + status.error().detail +
                "): mail that an hourly quota, a rate or a ladder limits waits until they can");
    }
  });
}

// What is still on its way to the disk is older than what is written here, and keeps its place before it.
void CounterKeeper::close() {
  do {
    save(clock_->now(), SIZE_MAX, true);
  } while (limiters_->changed());
}

}  // namespace relay
