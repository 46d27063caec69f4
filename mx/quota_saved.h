// The bytes of a quota that outlives the process.
#pragma once

#include <cstdint>
#include <limits>

#include "mx/quota.h"
#include "mx/saved.h"

namespace mx {

inline void save_quota(const Quota& quota, SavedWriter* out, const Moment& moment) {
  const Quota::State state = quota.save(moment);
  out->number(state.runs.size());
  for (const Quota::Run& run : state.runs) {
    out->number(run.count);
    out->wall(run.last);
  }
  out->wall(state.anchor);
  out->wall(state.slice);
  out->number(state.in_slice);
}

// `in` fails, and the quota stays as it is, when that is not a quota.
inline void restore_quota(SavedReader* in, Quota* quota) {
  Quota::State state;
  const uint64_t runs = in->number(Quota::kRuns);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < runs && in->ok(); ++i) {
    Quota::Run run;
    run.count = in->number32();
    run.last = in->wall();
    sum += run.count;
    if (run.last == conf::WallTime::min()) in->fail();
    state.runs.push_back(run);
  }
  if (sum > std::numeric_limits<uint32_t>::max()) in->fail();
  state.anchor = in->wall();
  state.slice = in->wall();
  state.in_slice = in->number32();
  if (in->ok()) quota->restore(state, in->moment());
}

}  // namespace mx
