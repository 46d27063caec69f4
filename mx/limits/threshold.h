// One error threshold and its sample: how many messages of the last `window` were answered, and how many of
// the answers were errors as the threshold counts them. It trips when the sample is large enough and the
// share of errors reaches `error_rate`, compared in whole numbers: 900 of 1000 reach 90 %, 899 do not. With
// `min_duration` it must have reached it for so long, at every message between.
//
// The window slides in steps of a 64th of itself: a message leaves the sample with its slot, at the latest
// when it is as old as the window, at the earliest a 64th before. One thread; O(1) amortised.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "conf/rule_threshold.h"
#include "conf/vocab/time.h"
#include "mx/limits/outcome.h"
#include "mx/limits/saved.h"

namespace mx {

class Threshold {
 public:
  static constexpr uint32_t kSlots = 64;

  explicit Threshold(const conf::RuleThreshold& rule) : rule_(rule), slot_(slot_of(rule)) {}
  // The sample stays, unless what counts as an error has changed.
  void set(const conf::RuleThreshold& rule);
  const conf::RuleThreshold& rule() const { return rule_; }

  // Whether it is one of the sample: no greylisting, and no request for a slower pace.
  static bool is_sample(const Outcome& outcome);
  bool is_error(const Outcome& outcome) const;
  // Whether so many errors of so many reach the share.
  bool reached(uint64_t errors, uint64_t messages) const {
    return errors * 1'000'000 >= uint64_t{rule_.error_rate_ppm} * messages;
  }
  // Counts one outcome; an ignored one is no sample.
  void count(const Outcome& outcome, conf::Instant now);
  // True when a sample of at least `min_messages` reaches the share.
  bool trips(uint32_t min_messages) const { return messages_ >= min_messages && reached(errors_, messages_); }
  // Whether the share has been reached for `min_duration`, as of the last count().
  bool lasts(conf::Instant now) const {
    return reached_since_ != conf::kNever && now - reached_since_ >= rule_.min_duration;
  }
  void clear();
  struct Counts {
    uint64_t messages = 0;
    uint64_t errors = 0;
  };
  Counts counts(conf::Instant now) const;
  struct Sample {  // for people
    uint64_t messages = 0;
    uint64_t errors = 0;
    conf::RuleThreshold threshold;
  };
  uint64_t messages() const { return messages_; }  // as of the last count()
  uint64_t errors() const { return errors_; }

  void save(SavedWriter* out) const;
  bool restore(SavedReader* in);  // false: `in` has failed; the sample is empty
  void save_since(SavedWriter* out) const;
  void restore_since(SavedReader* in);  // after restore()

 private:
  struct Slot {
    uint32_t messages = 0;
    uint32_t errors = 0;
  };
  using Halves = std::array<uint16_t, kSlots>;
  static uint32_t get(const std::unique_ptr<Halves>& halves, uint32_t place) {
    return halves ? (*halves)[place] : 0U;
  }
  static void set(std::unique_ptr<Halves>* halves, uint32_t place, uint32_t value);

  static conf::Duration slot_of(const conf::RuleThreshold& rule) {
    return std::max(rule.window / kSlots, conf::Duration(1));
  }
  Slot at(uint32_t place) const;
  void put(uint32_t place, Slot slot);
  void add(Slot counts, conf::Instant at);
  void age(conf::Instant now);  // drops what has left the window
  void slot_over(conf::Instant now);
  void cut_anew(conf::Duration slot);

  conf::RuleThreshold rule_;
  conf::Duration slot_;
  conf::Instant begin_{};  // of the newest slot; without meaning while the sample is empty
  conf::Instant reached_since_ = conf::kNever;  // kNever: the share is not reached
  uint64_t messages_ = 0;
  uint64_t errors_ = 0;
  uint32_t newest_ = 0;  // place of the newest slot
  // The counts of the slots, in halves of 16 bits: few sites need the high ones, many see no error. Made when
  // needed.
  std::unique_ptr<Halves> messages_low_, messages_high_, errors_low_, errors_high_;
};

}  // namespace mx
