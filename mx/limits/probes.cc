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
    const bool bad = threshold.reached(probe->errors, probe->samples);
    (probe->samples == 0 ? spent_ : bad ? bad_ : good_) += 1;
  }
  flying_.erase(flying_.begin() + (probe - flying_.data()));
}

Probes::Verdict Probes::verdict(const Threshold& threshold, uint32_t probes) const {
  if (judged() == 0) return spent_ < probes ? Verdict::kUndecided : Verdict::kUnjudged;
  const uint32_t of = std::max(probes - std::min(spent_, probes), judged());
  if (threshold.reached(bad_, of)) return Verdict::kFailed;
  return threshold.reached(of - good_, of) ? Verdict::kUndecided
                                           : Verdict::kPassed;  // if all others were bad
}

void Probes::save(SavedWriter* out) const {
  out->number(good_);
  out->number(bad_);
  out->number(spent_);
}

bool Probes::restore(SavedReader* in, bool with_spent) {
  good_ = in->number32(UINT16_MAX);
  bad_ = in->number32(UINT16_MAX);
  spent_ = with_spent ? in->number32(UINT16_MAX) : 0;
  return in->ok();
}

}  // namespace mx
