// The same moment on both clocks. What must survive a restart is kept in WallTime and brought back against
// the moment of the restart.
#pragma once

#include <algorithm>

#include "conf/vocab/time.h"

namespace mx {

struct Moment {
  conf::Instant now{};
  conf::WallTime wall{};

  conf::WallTime to_wall(conf::Instant at) const {
    if (at == conf::kNever) return conf::WallTime::max();
    return at == conf::Instant::min() ? conf::WallTime::min() : wall + (at - now);
  }
  conf::Instant to_instant(conf::WallTime at) const {
    if (at == conf::WallTime::max()) return conf::kNever;
    return at == conf::WallTime::min() ? conf::Instant::min() : now + (at - wall);
  }
  // For something that has happened: a wall clock that was set back does not put it into the future.
  conf::Instant to_past(conf::WallTime at) const { return std::min(to_instant(at), now); }
};

}  // namespace mx
