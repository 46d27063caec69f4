// What a standing takes over when rules are edited.
#include <algorithm>
#include <utility>

#include "mx/limits/standing.h"

namespace mx {

// Blocked, then probing, then the ramp; of two blocks the one that lasts longer.
bool Standing::is_stricter(const Standing& than) const {
  const auto rank = [](State state) {
    return (static_cast<int>(state) + 3) % 4;
  };  // kBlocked first, kOpen last
  if (state_ != than.state_) return rank(state_) < rank(than.state_);
  return state_ == State::kBlocked && block_.until > than.block_.until;
}

void Standing::cut() {
  if (rate_) rate_->cut();
  if (ladder_) ladder_->cut();
}

void Standing::inherit(Standing* from, bool by_heir, conf::WallTime since, const Moment& moment) {
  tick(moment.now);
  if (handed_on_ && by_heir) forget_state();
  const bool stricter = from->is_stricter(*this);
  if (stricter) {
    state_ = from->state_;
    cause_ = from->cause_;
    const uint8_t doublings = std::max(block_.doublings, from->block_.doublings);
    block_ = from->block_;
    block_.doublings = doublings;
    aftermath_ = std::move(from->aftermath_);
    ++epoch_;  // what is under way was begun before this block
  } else if (state_ == State::kOpen && from->state_ == State::kOpen) {
    // Neither the doubling of blocks nor its end begins anew.
    block_.doublings = std::max(block_.doublings, from->block_.doublings);
    block_.until = std::max(block_.until, from->block_.until);
    opened_at_ = std::max(opened_at_, from->opened_at_);
  }
  // Of two samples the one with more errors; a block begins with none.
  for (size_t i = 0; i < thresholds_.size() && i < from->thresholds_.size(); ++i) {
    const Threshold::Counts here = thresholds_[i].counts(moment.now),
                            there = from->thresholds_[i].counts(moment.now);
    const bool fuller =
        there.errors != here.errors ? there.errors > here.errors : there.messages > here.messages;
    if (stricter || (state_ == from->state_ && fuller)) thresholds_[i] = std::move(from->thresholds_[i]);
  }
  if (from->evidence_ && (!evidence_ || stricter)) evidence_ = std::move(from->evidence_);
  if (rate_ && from->rate_) rate_->inherit(*from->rate_, since, moment);
  if (ladder_ && from->ladder_) ladder_->inherit(*from->ladder_, since, moment);
  touch();
}

void Standing::inherit_charges(const Standing& from, conf::WallTime since, const Moment& moment) {
  if (rate_ && from.rate_) rate_->inherit_charges(*from.rate_, since, moment);
  if (ladder_ && from.ladder_) ladder_->inherit_charges(*from.ladder_, since, moment);
  touch();
}

}  // namespace mx
