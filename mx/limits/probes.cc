#include "mx/limits/probes.h"

#include <algorithm>

namespace mx {

Probes::Flying* Probes::find(uint32_t number) {
  const auto found =
      std::find_if(flying_.begin(), flying_.end(), [&](const Flying& f) { return f.number == number; });
  return found == flying_.end() ? nullptr : &*found;
}

uint32_t Probes::begin() {
  flying_.push_back({next_, 0, 0, 0});
  return next_++;
}

void Probes::outcome(uint32_t number, const Outcome& outcome, const Threshold& threshold) {
  Flying* probe = find(number);
  if (probe == nullptr) return;
  ++probe->outcomes;
  if (!Threshold::is_sample(outcome)) return;
  ++probe->samples;
  probe->errors += threshold.is_error(outcome) ? 1 : 0;
}

void Probes::ended(uint32_t number, bool answered, const Threshold& threshold) {
  const Flying* probe = find(number);
  if (probe == nullptr) return;
  if (answered && probe->outcomes > 0) {
    const bool bad = probe->samples > 0 && threshold.reached(probe->errors, probe->samples);
    (bad ? bad_ : good_) += 1;
  }
  flying_.erase(flying_.begin() + (probe - flying_.data()));
}

Probes::Verdict Probes::verdict(const Threshold& threshold, uint32_t probes) const {
  if (threshold.reached(bad_, probes)) return Verdict::kFailed;
  const uint32_t worst = probes > good_ ? probes - good_ : 0;  // if all others were bad
  return threshold.reached(worst, probes) ? Verdict::kUndecided : Verdict::kPassed;
}

void Probes::save(SavedWriter* out) const {
  out->number(good_);
  out->number(bad_);
}

bool Probes::restore(SavedReader* in) {
  good_ = in->number32(UINT16_MAX);
  bad_ = in->number32(UINT16_MAX);
  return in->ok();
}

}  // namespace mx
