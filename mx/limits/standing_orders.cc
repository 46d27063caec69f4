// What an operator or a reply rule does to a standing.
#include <utility>

#include "mx/limits/standing.h"

namespace mx {

void Standing::block_by_rule(conf::Instant until, const std::string& rule, conf::Instant now) {
  tick(now);
  if (state_ == State::kBlocked && block_.until >= until) return;
  if (doubling_is_forgotten(now)) block_.doublings = 0;
  block_.length = until - now;
  block_.until = until;
  block_.early = false;
  Decision decision;
  decision.action = Decision::Action::kBlock;
  decision.by = "reply rule \"" + rule + '"';
  decision.until = until;
  decision.samples = replies();
  decision.text = decision.by + ": nothing is sent " + until_text(until, now);
  block_.by_rule = true;
  block_.why = std::make_shared<const BlockReason>(BlockReason{now, decision});
  if (state_ != State::kBlocked) move(State::kBlocked, now);
  decide(std::move(decision));
}

void Standing::open_by_order(Decision::Action action, const char* text, conf::Instant now) {
  if (state_ != State::kOpen) move(State::kOpen, now);
  clear_samples();
  block_.doublings = 0;
  block_.early = false;
  Decision decision;
  decision.action = action;
  decision.by = "operator";
  decision.ordered = true;
  decision.text = text;
  decide(std::move(decision));
}

void Standing::unblock(conf::Instant now) {
  tick(now);
  open_by_order(Decision::Action::kUnblock, "open, with an empty sample", now);
}

void Standing::reset(conf::Instant now) {
  evidence_.reset();
  if (rate_) rate_->reset();
  if (ladder_) ladder_->reset();
  open_by_order(Decision::Action::kReset,
                "open, with an empty sample; the learned rate and the ladder start anew", now);
}

}  // namespace mx
