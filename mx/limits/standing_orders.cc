// What an operator may order: block, unblock, reset.
#include <utility>

#include "mx/limits/standing.h"

namespace mx {

void Standing::block(conf::Instant until, std::string why, conf::Instant now) {
  tick(now);
  Decision decision;
  decision.action = Decision::Action::kBlock;
  decision.by = "operator";
  decision.ordered = true;
  decision.until = ordered_until_ = until;
  decision.text = (why.empty() ? "blocked" : std::move(why)) + ": nothing is sent " + until_text(until, now);
  ordered_ = true;
  decide(std::move(decision));
}

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
  if (state_ != State::kBlocked) move(State::kBlocked, now);
  decide(std::move(decision));
}

// As after a block: probes first. Where there is no threshold there are none.
void Standing::end_order(conf::Instant now) {
  ordered_ = false;
  touch();
  if (state_ == State::kBlocked) return;
  if (doubling_is_forgotten(now)) block_.doublings = 0;
  if (state_ == State::kProbing && !thresholds_.empty() && block_.shortened(now)) {
    block_.go_on(cause().rule(), now);
  } else {
    block_.length = conf::Duration(0);
    block_.until = now;
    block_.early = block_.by_rule = false;
  }
  move(State::kBlocked, now);
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
  if (ordered_ && state_ == State::kBlocked) {
    ordered_ = false;
    Decision decision;
    decision.action = Decision::Action::kUnblock;
    decision.by = "operator";
    decision.ordered = true;
    decision.text =
        "the order is lifted; the block that the replies brought holds " + until_text(block_.until, now);
    return decide(std::move(decision));
  }
  ordered_ = false;
  open_by_order(Decision::Action::kUnblock, "open, with an empty sample", now);
}

void Standing::reset(conf::Instant now) {
  ordered_ = false;
  evidence_.reset();
  if (rate_) rate_->reset();
  if (ladder_) ladder_->reset();
  open_by_order(Decision::Action::kReset,
                "open, with an empty sample; the learned rate and the ladder start anew", now);
}

}  // namespace mx
