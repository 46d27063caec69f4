// When a standing blocks by itself, and the probes that decide what follows.
#include <string>
#include <utility>

#include "mx/limits/standing.h"

namespace mx {

namespace {

using Action = Decision::Action;

std::string window_text(conf::Duration window) {
  return window == std::chrono::hours(1) ? "hour" : duration_text(window);
}

const char* refused_text(const conf::RuleThreshold& rule) {
  if (rule.scope == conf::ThresholdScope::kSender) return " were refused because of the sender";
  if (rule.scope == conf::ThresholdScope::kRecipient) return " were refused because of the recipient";
  return " were refused";
}

}  // namespace

void Standing::trip(size_t index, conf::Instant now) {
  const Threshold& threshold = thresholds_[index];
  Decision decision;
  decision.by = "threshold " + std::to_string(index + 1);
  decision.line = threshold.rule().line;
  decision.messages = threshold.messages();
  decision.errors = threshold.errors();
  decision.text = std::to_string(decision.errors) + " of " + std::to_string(decision.messages) +
                  (state_ == State::kRamp ? std::string(" messages since the probes")
                                          : " messages in the last " + window_text(threshold.rule().window)) +
                  refused_text(threshold.rule()) + " (" + share_text(decision.errors, decision.messages) +
                  ")";
  block_by_itself(index, std::move(decision), now);
}

// The doubling of blocks ends when the path stayed open for so long.
bool Standing::doubling_is_forgotten(conf::Instant now) const {
  if (block_.doublings == 0) return true;
  if (state_ != State::kOpen) return false;
  return thresholds_.empty() || opened_at_ <= now - cause().rule().max_block;
}

// `decision`: by whom, the sample, and the text up to what follows from it.
void Standing::block_by_itself(size_t cause, Decision decision, conf::Instant now) {
  if (doubling_is_forgotten(now)) block_.doublings = 0;
  if (goes_on(now)) return block_again(std::move(decision), now);
  cause_ = static_cast<uint8_t>(cause);
  block_.begin(this->cause().rule(), now);
  block(std::move(decision), ": nothing is sent ", now);
}

// Of a block that was tried early the rest; else one that waits for probes which are judged.
void Standing::block_again(Decision decision, conf::Instant now) {
  if (goes_on(now)) {
    block_.go_on(cause().rule(), now);
  } else {
    block_.repeat(cause().rule(), now);
  }
  block(std::move(decision), ": the block goes on, nothing is sent ", now);
}

bool Standing::goes_on(conf::Instant now) const {
  return (state_ == State::kProbing || state_ == State::kRamp) && block_.shortened(now);
}

void Standing::block(Decision decision, const char* follows, conf::Instant now) {
  decision.action = Action::kBlock;
  decision.until = block_.until;
  decision.samples = replies();
  decision.text += follows + until_text(block_.until, now);
  block_.why = std::make_shared<const BlockReason>(BlockReason{now, decision});
  move(State::kBlocked, now);
  decide(std::move(decision));
}

void Standing::begin_probes(Decision decision, conf::Instant now) {
  decision.action = Action::kProbe;
  decision.by = block_.by_rule ? "reply rule" : "threshold " + std::to_string(cause_ + 1);
  block_.early = now < block_.until;
  decision.text = block_.early
                      ? "one probe goes before the block is over (first_probe)"
                      : "the block is over: at most " + std::to_string(probes()) +
                            (probes() == 1 ? " probe goes" : " probes go") + " first, over one connection";
  move(State::kProbing, now);
  decide(std::move(decision));
}

void Standing::judge_probes(conf::Instant now) {
  const Probes& probes = aftermath_->probes;
  const Probes::Verdict verdict = probes.verdict(cause(), this->probes());
  if (verdict == Probes::Verdict::kUndecided) return;
  Decision decision;
  decision.by = "probes";
  decision.line = cause().rule().line;
  decision.messages = probes.judged();
  decision.errors = probes.bad();
  if (verdict == Probes::Verdict::kFailed) {
    decision.text = std::to_string(probes.bad()) + " of " + std::to_string(probes.judged()) + " probes" +
                    refused_text(cause().rule());
    return block_by_itself(cause_, std::move(decision), now);
  }
  if (verdict == Probes::Verdict::kUnjudged) {
    decision.text =
        "no answer to a probe judges our mail: the host takes none for now, or puts all of it off";
    return block_again(std::move(decision), now);
  }
  decision.action = Action::kRamp;
  decision.text =
      std::to_string(probes.judged() - probes.bad()) + " of " + std::to_string(probes.judged()) +
      (block_.early ? " probes passed, the block is shortened: up to " : " probes passed: up to ") +
      std::to_string(Ramp::kFirst * cause().rule().probes) +
      " messages in the first minute, twice as many in each that follows";
  move(State::kRamp, now);
  decide(std::move(decision));
}

}  // namespace mx
