// When a deferred delivery is tried again, and when it is given up. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "conf/config.h"
#include "conf/vocab/random.h"
#include "conf/vocab/reason.h"
#include "conf/vocab/time.h"

namespace relay::queue {

// The delay after the `attempt`-th attempt (from 1) was refused for `reason`, or nothing when the message is
// to be given up: the schedule is used up, or the message would be older than its validity at the next
// attempt. The schedule of the reason goes before that of the destination as long as it ends within the
// validity. Jitter is only added, never taken off, so that a destination is never tried sooner than the
// schedule says.
std::optional<conf::Duration> next_delay(const conf::RetrySchedule& schedule, uint32_t attempt,
                                         conf::Reason reason, conf::WallTime accepted_at, conf::WallTime now,
                                         conf::Random* random);

// Of trouble that passes in minutes, after `done` first tries: the next one, or nothing when there is none
// left, when the schedule comes as soon, or when the validity is over before.
std::optional<conf::Duration> first_delay(const conf::RetrySchedule& schedule, conf::PassingTrouble trouble,
                                          uint32_t done, uint32_t attempt, conf::WallTime accepted_at,
                                          conf::WallTime now, conf::Random* random);

// Whether the tries after this one are the first of that trouble still: `done` of them were made, and the
// schedule, which makes them where it comes as soon, made fewer than there are. Without any: four.
bool first_tries_last(const conf::RetrySchedule& schedule, conf::PassingTrouble trouble, uint32_t done,
                      uint32_t attempt);

// Of a message that met trouble of its path: a minute, or the first wait of the schedule when that is
// shorter, and more only for one that is old already (a tenth of its age, at most a quarter of an hour),
// with up to a tenth of jitter. None: its validity is over before.
std::optional<conf::Duration> short_delay(const conf::RetrySchedule& schedule, conf::WallTime accepted_at,
                                          conf::WallTime now, conf::Random* random);

}  // namespace relay::queue
