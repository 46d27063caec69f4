// What an operator may order: block, unblock, reset.
#include <utility>

#include "mx/limits/standing.h"

namespace mx {

void Standing::block(conf::Instant until, std::string why, conf::Instant now) {
  tick(now);
  Decision decision;
  decision.action = Decision::Action::kBlock;
  decision.by = "operator";
  decision.until = until_ = until;
  decision.text = (why.empty() ? "blocked" : std::move(why)) + ": nothing is sent " + until_text(until, now);
  ordered_ = true;
  move(State::kBlocked, now);
  decide(std::move(decision));
}

void Standing::open_by_order(Decision::Action action, const char* text, conf::Instant now) {
  if (state_ != State::kOpen) move(State::kOpen, now);
  clear_samples();
  doublings_ = 0;
  Decision decision;
  decision.action = action;
  decision.by = "operator";
  decision.text = text;
  decide(std::move(decision));
}

void Standing::unblock(conf::Instant now) {
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
