// The bytes of a quota, and of a sliding window, that outlive the process.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "mx/limits/quota.h"
#include "mx/limits/saved.h"
#include "mx/limits/sliding_window.h"

namespace mx {

inline void save_runs(const std::vector<SlidingWindow::Run>& runs, SavedWriter* out) {
  out->number(runs.size());
  for (const SlidingWindow::Run& run : runs) {
    out->number(run.count);
    out->wall(run.last);
  }
}

// `in` fails when those are not runs.
inline std::vector<SlidingWindow::Run> read_runs(SavedReader* in) {
  std::vector<SlidingWindow::Run> out;
  const uint64_t runs = in->number(SlidingWindow::kRuns);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < runs && in->ok(); ++i) {
    SlidingWindow::Run run;
    run.count = in->number32();
    run.last = in->wall();
    sum += run.count;
    if (run.last == conf::WallTime::min()) in->fail();
    out.push_back(run);
  }
  if (sum > std::numeric_limits<uint32_t>::max()) in->fail();
  return out;
}

// Added to the last number of a quota that has counts of elsewhere.
inline constexpr uint64_t kInheritedMark = uint64_t{1} << 32;

inline void save_quota(const Quota& quota, SavedWriter* out, const Moment& moment) {
  const Quota::State state = quota.save(moment);
  save_runs(state.runs, out);
  out->wall(state.anchor);
  out->wall(state.slice);
  out->number(state.in_slice + (state.inherited ? kInheritedMark : 0));
  if (state.inherited) save_runs(state.own, out);
}

// `in` fails, and the quota stays as it is, when that is not a quota.
inline void restore_quota(SavedReader* in, Quota* quota) {
  Quota::State state;
  state.runs = read_runs(in);
  state.anchor = in->wall();
  state.slice = in->wall();
  const uint64_t last = in->number(2 * kInheritedMark - 1);
  state.in_slice = static_cast<uint32_t>(last % kInheritedMark);
  state.inherited = last >= kInheritedMark;
  if (state.inherited) state.own = read_runs(in);
  if (in->ok()) quota->restore(state, in->moment());
}

}  // namespace mx
