// How soon a path from one of our sources can send what is given to it now. Mail is drawn to sources by
// weight; what falls to one that cannot send soon goes to another (PathChoice::choose), also later
// (RouteWatch). Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "conf/vocab/event.h"
#include "conf/vocab/time.h"
#include "relay/flow/path.h"

namespace relay::queue {

enum class Readiness : uint8_t {
  kFree,   // within a minute, as far as is known
  kLater,  // its hour, its probes, a long pause: time alone helps
  kHeld,   // blocked, its ladder used up, its hosts do not answer
};

struct SourceState {
  Readiness readiness = Readiness::kFree;
  conf::Bind bind = conf::Bind::kNothing;  // why it is not free
  conf::Instant until{};                   // kNever: nobody knows
};
// `path` may be null: nothing is known against it. What stands in its line already counts: a ladder with 20
// messages left is used up when 20 wait; `but` so many of them do not, for it is asked whether they should go
// elsewhere. O(1); for scope = "path" O(addresses).
SourceState state_of(const Path* path, conf::Instant now, size_t but = 0);
// The same where all that is counted is counted together with `here`: what holds that one back by its
// counters holds this one, too, whether it was asked for them yet or not.
SourceState state_beside(const Path* path, const Path& here, conf::Instant now, size_t but = 0);

}  // namespace relay::queue
