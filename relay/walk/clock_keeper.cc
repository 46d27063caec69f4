#include "relay/walk/clock_keeper.h"

#include <utility>

#include "conf/standard_error.h"

namespace relay {

namespace {
constexpr conf::Duration kPeriod = std::chrono::minutes(1);
}

ClockKeeper::ClockKeeper(spool::Spool* spool, const conf::Clock* system, std::string boot)
    : spool_(spool), clock_(system, std::move(boot)) {}

void ClockKeeper::restore() {
  const conf::Result<std::string> anchor = spool_->kept_value(spool::RelayClock::kKey);
  if (anchor.ok() ? !clock_.go_on(anchor.value()) : anchor.error().code != conf::ErrorCode::kNotFound)
    conf::say("the clock of the spool cannot be read; the age of mail is reckoned by the wall clock");
  keep();
}

void ClockKeeper::step(conf::Instant now, bool queued) {
  if (!queued || now < next_) return;
  next_ = now + kPeriod;
  keep();
}

void ClockKeeper::keep() { spool_->keep(std::string(spool::RelayClock::kKey), clock_.anchor(), {}); }

}  // namespace relay
