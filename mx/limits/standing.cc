#include "mx/limits/standing.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"

namespace mx {

namespace {

using State = Standing::State;
using Action = Decision::Action;

constexpr uint8_t kStates = 4;
// allowed[from][to], in the order of State.
constexpr bool kAllowed[kStates][kStates] = {
    {false, true, false, false},  // kOpen
    {true, false, true, false},   // kBlocked
    {true, true, false, true},    // kProbing
    {true, true, false, false},   // kRamp
};

constexpr uint32_t kRampSample = 4;  // x probes: the smallest sample on the ramp

}  // namespace

const char* to_text(Standing::State state) {
  switch (state) {
    case State::kOpen:
      return "open";
    case State::kBlocked:
      return "blocked";
    case State::kProbing:
      return "probing";
    case State::kRamp:
      return "ramp";
  }
  return "unknown";
}

Standing::Standing(const PathLimits& limits) { set(limits); }

void Standing::set(const PathLimits& limits) {
  for (size_t i = 0; i < limits.thresholds.size(); ++i) {
    if (i < thresholds_.size()) {
      thresholds_[i].set(limits.thresholds[i]);
    } else {
      thresholds_.emplace_back(limits.thresholds[i]);
    }
  }
  thresholds_.erase(thresholds_.begin() + static_cast<ptrdiff_t>(limits.thresholds.size()),
                    thresholds_.end());
  if (cause_ >= thresholds_.size()) cause_ = 0;
  if (limits.adaptive == conf::AdaptiveMode::kOff) {
    rate_.reset();
  } else if (rate_) {
    rate_->set(limits);
  } else {
    rate_ = std::make_unique<AdaptiveRate>(limits);
  }
  if (limits.warmup.empty()) {
    ladder_.reset();
  } else if (ladder_) {
    ladder_->set(limits);
  } else {
    ladder_ = std::make_unique<WarmUp>(limits);
  }
  learns_ = rate_ != nullptr || ladder_ != nullptr;
}

// The only writer of state_.
void Standing::move(State to, conf::Instant now) {
  CHECK(kAllowed[static_cast<uint8_t>(state_)][static_cast<uint8_t>(to)]);
  state_ = to;
  switch (to) {
    case State::kOpen:
      opened_at_ = now;
      aftermath_.reset();
      break;
    case State::kBlocked:
      clear_samples();
      aftermath_.reset();
      break;
    case State::kProbing:
      aftermath_ = std::make_unique<Aftermath>();
      break;
    case State::kRamp:
      aftermath_->ramp.begin(Ramp::kFirst * cause().rule().probes, now);
      break;
  }
  touch();
}

void Standing::clear_samples() {
  for (Threshold& threshold : thresholds_) threshold.clear();
  ++epoch_;
  touch();
}

void Standing::decide(Decision decision) {
  decisions_.push_back(std::move(decision));
  touch();
}

void Standing::tick_state(conf::Instant now) {
  if ((state_ == State::kBlocked || state_ == State::kRamp) && now < runs_out()) return;
  Decision decision;
  if (thresholds_.empty()) {
    decision.action = Action::kOpen;
    decision.by = "no threshold";
    decision.text = "the rule has no threshold: neither probes nor a ramp";
    move(State::kOpen, now);
    return decide(std::move(decision));
  }
  const conf::RuleThreshold& rule = cause().rule();
  decision.line = rule.line;
  switch (state_) {
    case State::kBlocked:
      return begin_probes(std::move(decision), now);
    case State::kRamp:
      decision.action = Action::kOpen;
      decision.by = "ramp";
      decision.messages = cause().messages();
      decision.errors = cause().errors();
      decision.text = "the ramp is over: only the limits of the rule hold";
      move(State::kOpen, aftermath_->ramp.ends());
      return decide(std::move(decision));
    case State::kProbing:
      if (now >= block_.until) block_.early = false;
      return judge_probes(now);  // the rule may ask for fewer now
    case State::kOpen:
      return;
  }
}

Standing::State Standing::state_at(conf::Instant now) const {
  if (now < runs_out()) return state_;
  return state_ == State::kRamp || thresholds_.empty() ? State::kOpen : State::kProbing;
}

conf::Instant Standing::runs_out() const {
  if (state_ == State::kBlocked) return frees_at();
  if (state_ != State::kRamp) return conf::kNever;
  return thresholds_.empty() ? conf::Instant{} : aftermath_->ramp.ends();
}

conf::Instant Standing::frees_at() const {
  return thresholds_.empty() ? block_.until : block_.next_probe(cause().rule());
}

void Standing::tick_learning(conf::Instant now) {
  Decision decision;
  if (rate_ && rate_->tick(now, &decision)) decide(std::exchange(decision, {}));
  if (ladder_ && ladder_->tick(now, &decision)) decide(std::move(decision));
}

Admission Standing::may_send(conf::Instant now) {
  tick(now);
  Admission admission = allowed_by_state(now);
  if (!learns_) return admission;
  if (rate_) admission = admission.also(rate_->may_send(now));
  if (ladder_) admission = admission.also(ladder_->may_send(now));
  return admission;
}

Admission Standing::allowed_by_state(conf::Instant now) const {
  switch (state_) {
    case State::kOpen:
      return {};
    case State::kBlocked:
      return Admission::no(Bind::kBlocked, frees_at());
    case State::kProbing:
      if (aftermath_->probes.may_begin(probes())) return {};
      return Admission::no(Bind::kProbing, conf::kNever);
    case State::kRamp:
      return aftermath_->ramp.may_send(now);
  }
  return {};
}

uint32_t Standing::most_connections(conf::Instant now) {
  tick(now);
  switch (state_) {
    case State::kOpen:
      return UINT32_MAX;
    case State::kBlocked:
      return 0;
    case State::kProbing:
      return 1;
    case State::kRamp:
      return aftermath_->ramp.connections(now);
  }
  return 0;
}

Admission Standing::may_connect(conf::Instant now) {
  if (connections_ < most_connections(now)) return {};
  if (state_ == State::kBlocked) return Admission::no(Bind::kBlocked, frees_at());
  if (state_ == State::kProbing) return Admission::no(Bind::kProbing, conf::kNever);
  return Admission::no(Bind::kRamp, aftermath_->ramp.next_step(now));
}

Room Standing::room(conf::Instant now) {
  tick(now);
  Room room;
  const auto at_most = [&room](uint32_t messages, Bind bind) {
    if (messages < room.messages) room = {messages, bind};
  };
  if (state_ == State::kBlocked) at_most(0, Bind::kBlocked);
  if (state_ == State::kProbing) at_most(aftermath_->probes.left(probes()), Bind::kProbing);
  if (state_ == State::kRamp) at_most(aftermath_->ramp.left(now), Bind::kRamp);
  if (rate_) at_most(rate_->available(now), Bind::kAdaptive);
  if (ladder_) at_most(ladder_->available(now), Bind::kWarmUp);
  return room;
}

Standing::Attempt Standing::began(conf::Instant now) {
  tick(now);
  Attempt attempt{now, epoch_, false, 0};
  if (state_ == State::kProbing) {
    attempt.probe = true;
    attempt.probe_number = aftermath_->probes.begin();
  } else if (state_ == State::kRamp) {
    aftermath_->ramp.charge(now);
    touch();
  }
  if (rate_) rate_->charge(now);
  if (ladder_) ladder_->charge(now);
  if (rate_ || ladder_) touch();
  return attempt;
}

void Standing::note(const Outcome& outcome) {
  if (outcome.kind != Outcome::Kind::kHard && outcome.kind != Outcome::Kind::kSoft) return;
  if (!evidence_) evidence_ = std::make_unique<Evidence>();
  evidence_->note(outcome.reply);
}

void Standing::learn(const Outcome& outcome) {
  if (rate_) rate_->count(outcome);
  if (ladder_) ladder_->count(outcome);
  if (rate_ || ladder_) touch();
}

void Standing::outcome(const Attempt& attempt, const Outcome& outcome, conf::Instant now) {
  tick(now);
  learn(outcome);
  if (attempt.epoch != epoch_) return;  // begun before a block or an order: it says nothing of what is now
  if (state_ == State::kProbing) {
    note(outcome);
    if (attempt.probe && !thresholds_.empty())
      aftermath_->probes.outcome(attempt.probe_number, outcome, cause());
    return;
  }
  if (state_ != State::kBlocked) count(outcome, now);
}

void Standing::count(const Outcome& outcome, conf::Instant now) {
  if (outcome.kind == Outcome::Kind::kIgnored) return;
  note(outcome);
  touch();
  if (!Threshold::is_sample(outcome)) return;
  for (Threshold& threshold : thresholds_) threshold.count(outcome, now);
  for (size_t i = 0; i < thresholds_.size(); ++i) {
    const conf::RuleThreshold& rule = thresholds_[i].rule();
    const uint32_t least =
        state_ == State::kRamp ? std::min(rule.min_messages, kRampSample * rule.probes) : rule.min_messages;
    const bool lasts = state_ == State::kRamp || thresholds_[i].lasts(now);
    if (lasts && thresholds_[i].trips(least)) return trip(i, now);
  }
}

void Standing::ended(const Attempt& attempt, bool answered, conf::Instant now) {
  tick(now);
  if (!answered) {
    if (state_ == State::kRamp && !attempt.probe) aftermath_->ramp.refund(attempt.at);
    if (rate_) rate_->refund(attempt.at);
    if (ladder_) ladder_->refund(attempt.at);
    touch();
  }
  // Without a threshold, for its rule is another now, nobody judges: it opens when it is asked next.
  if (state_ != State::kProbing || !attempt.probe || attempt.epoch != epoch_ || thresholds_.empty()) return;
  aftermath_->probes.ended(attempt.probe_number, answered, cause());
  touch();
  judge_probes(now);
}

void Standing::came_back(const Outcome& outcome, conf::Instant now) {
  tick(now);
  learn(outcome);
  // It was sent before the block: it says nothing of whether that is over.
  if (state_ == State::kOpen || state_ == State::kRamp) count(outcome, now);
}

void Standing::refused(const Outcome& outcome, conf::Instant now) {
  tick(now);
  Outcome ours = outcome;
  ours.sender_scope = true;
  ours.recipient_scope = false;
  learn(ours);
  if (state_ == State::kBlocked) return;
  if (state_ != State::kProbing || thresholds_.empty()) return count(ours, now);
  note(ours);
  if (!cause().is_error(ours)) return;
  aftermath_->probes.refused();
  touch();
  judge_probes(now);
}

}  // namespace mx
