#include "mx/limits/lease.h"

#include "mx/limits/saved.h"

namespace mx {

namespace {

constexpr uint64_t kLeaseVersion = 1;

}  // namespace

std::string Lease::record(conf::WallTime wall, bool last) {
  std::string record;
  const Moment moment;
  SavedWriter out(&record, moment);
  out.number(kLeaseVersion);
  out.number(last ? 1 : 0);
  out.wall(wall);
  return record;
}

bool Lease::gap(std::string_view record, conf::WallTime now, conf::WallTime* begin, conf::WallTime* end) {
  const Moment moment;
  SavedReader in(record, moment);
  const bool known = in.number() == kLeaseVersion;
  const bool last = in.number(1) == 1;
  const conf::WallTime wall = in.wall();
  if (known && in.ok() && in.ended() && last) return false;
  if (!known || !in.ok() || !in.ended() || wall > now) {
    *begin = now - kFor;
    *end = now;
  } else {
    *begin = wall;
    *end = std::min(wall + kFor, now);
  }
  return true;
}

}  // namespace mx
