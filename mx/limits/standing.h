// How a destination thinks of us, seen from one source (or from all, with scope = "pool"): the error
// thresholds that block it, the probes and the ramp after a block, the learned rate, and the ladder of a new
// source. One state machine, the only writer of its state:
//
//   kOpen --threshold trips--> kBlocked --time is over--> kProbing --probes pass--> kRamp --done--> kOpen
//                                  ^                          |                       |
//                                  +------ probes fail -------+----- trips again -----+
//                                  (longer, up to max_block)
// What an operator orders against a path stands beside that, see relay::queue::Path. Hard and Soft count as
// the threshold says, Ignored never. The first block lasts `block`, each that follows twice as long, up to
// `max_block`; a path that stayed open for `max_block` begins anew. On the ramp a threshold trips with a
// sample of 4 x `probes`. Every block clears the sample; what was begun before it counts no more. A rule
// without thresholds is blocked by a reply rule only, and opens at once after it. One thread; O(thresholds).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/time.h"
#include "mx/limits/adaptive_rate.h"
#include "mx/limits/admission.h"
#include "mx/limits/block.h"
#include "mx/limits/change_mark.h"
#include "mx/limits/decision.h"
#include "mx/limits/evidence.h"
#include "mx/limits/moment.h"
#include "mx/limits/outcome.h"
#include "mx/limits/probes.h"
#include "mx/limits/ramp.h"
#include "mx/limits/threshold.h"
#include "mx/limits/warmup.h"
#include "mx/rules/path_limits.h"

namespace mx {
class Standing {
 public:
  enum class State : uint8_t { kOpen, kBlocked, kProbing, kRamp };
  // One attempt (transaction) as the standing knows it, from began() to ended().
  struct Attempt {
    conf::Instant at{};
    uint32_t epoch = 0;  // what was begun before a block counts no more
    bool probe = false;
    uint32_t probe_number = 0;
  };

  explicit Standing(const PathLimits& limits);
  void set(const PathLimits& limits);  // the rule has changed: samples and state stay
  // Whether one more attempt may begin. A block that is over becomes kProbing here.
  Admission may_send(conf::Instant now);
  uint32_t most_connections(conf::Instant now);  // 0 while blocked, 1 probing, few on the ramp, or UINT32_MAX
  Admission may_connect(conf::Instant now);
  Room room(conf::Instant now);
  void connection_opened() { ++connections_; }
  void connection_closed() { --connections_; }
  uint32_t connections() const { return connections_; }

  Attempt began(conf::Instant now);
  void outcome(const Attempt& attempt, const Outcome& outcome, conf::Instant now);
  // The attempt is over. Not answered: no reply was obtained at all, it is taken back from every count.
  void ended(const Attempt& attempt, bool answered, conf::Instant now);
  void refused(const Outcome& outcome, conf::Instant now);    // a connection, by a reply before any message
  void came_back(const Outcome& outcome, conf::Instant now);  // hours after it was taken; no probe, no block

  void block_by_rule(conf::Instant until, const std::string& rule, conf::Instant now);
  void unblock(conf::Instant now);  // an operator's order: open, with the sample cleared
  void reset(conf::Instant now);    // the same; learned rate and ladder start anew
  State state() const { return state_; }
  // The same as if it was asked now, which changes nothing: what has run out is over though nobody asked.
  State state_at(conf::Instant now) const;
  conf::Instant runs_out() const;  // the block, or the ramp; kNever: there is none
  conf::Instant blocked_until() const { return state_ == State::kBlocked ? block_.until : conf::Instant{}; }
  conf::Instant frees_at() const;  // while blocked: when the next message may go, which can be an early probe
  using Sample = Threshold::Sample;
  std::vector<Sample> samples(conf::Instant now) const;
  std::vector<std::string> replies() const;  // the latest refusals, at most three, the latest first
  uint32_t learned_per_hour() const;         // 0: nothing learned (or adaptive = "off")
  using Ladder = WarmUp::View;
  Ladder ladder(conf::Instant now);
  std::vector<Decision> take_decisions();  // since the last call, oldest first; empty mostly: cheap
  bool has_decisions() const { return !decisions_.empty(); }
  bool dirty() const { return change_.set(); }
  ChangeMark& change() { return change_; }
  std::string save(const Moment& moment);  // as Traffic
  bool restore(std::string_view saved, const Moment& moment);
  void assume_used(conf::Instant begin, conf::Instant end);  // ladder and learned rate; see Traffic
  // The stricter of both holds; what was handed on and is unchanged gives way. `from`: a copy, used up.
  void inherit(Standing* from, bool by_heir, conf::WallTime since, const Moment& moment);
  void inherit_charges(const Standing& from, conf::WallTime since, const Moment& moment);  // and no more
  const BlockReason* why_blocked() const;  // null: neither blocked nor probing, or it is not known
  bool handed_on() const { return handed_on_; }
  void hand_on(bool yes) { handed_on_ = yes; }  // false: it is used again
  void cut();                                   // see Quota
  bool idle(conf::Instant now);

 private:
  struct Aftermath {  // of a block
    Probes probes;
    Ramp ramp;
  };
  void touch() { change_.mark(), handed_on_ = false; }  // what save() would write has changed
  void tick(conf::Instant now) {                        // makes the transitions that are due
    if (state_ != State::kOpen) tick_state(now);
    if (learns_) tick_learning(now);
  }
  void tick_state(conf::Instant now), tick_learning(conf::Instant now);
  Admission allowed_by_state(conf::Instant now) const;
  void move(State to, conf::Instant now);
  void decide(Decision decision);
  void count(const Outcome& outcome, conf::Instant now);
  void note(const Outcome& outcome);   // as evidence
  void learn(const Outcome& outcome);  // for rate and ladder
  void judge_probes(conf::Instant now);
  void trip(size_t index, conf::Instant now);
  void block_by_itself(size_t cause, Decision decision, conf::Instant now);
  void block_again(Decision decision, conf::Instant now);
  void block(Decision decision, const char* follows, conf::Instant now);
  bool goes_on(conf::Instant now) const;  // the block that was tried early
  void open_by_order(Decision::Action action, const char* text, conf::Instant now);
  void clear_samples(), forget(), forget_state();
  bool is_stricter(const Standing& than) const;
  void begin_probes(Decision decision, conf::Instant now);
  uint32_t probes() const { return block_.early ? 1 : cause().rule().probes; }
  bool doubling_is_forgotten(conf::Instant now) const;
  const Threshold& cause() const { return thresholds_[cause_]; }  // whose probes and ramp hold
  bool knows_nothing(conf::Instant now);
  bool read(SavedReader* in);
  void read_learning(SavedReader* in);
  void read_early(uint32_t thresholds, SavedReader* in);
  State state_ = State::kOpen;
  uint8_t cause_ = 0;
  bool learns_ = false;                   // there is a rate_ or a ladder_
  bool handed_on_ = false;                // since it changed last
  uint32_t connections_ = 0;              // open and opening
  Block block_;                           // the latest
  std::unique_ptr<AdaptiveRate> rate_;    // "advise" and "on"
  std::unique_ptr<WarmUp> ladder_;        // when the rule has one
  std::unique_ptr<Aftermath> aftermath_;  // while probing and on the ramp
  uint32_t epoch_ = 0;
  std::vector<Threshold> thresholds_;
  std::unique_ptr<Evidence> evidence_;  // from the first refusal on
  std::vector<Decision> decisions_;
  conf::Instant opened_at_{};  // when the latest ramp was over
  ChangeMark change_;
};
const char* to_text(Standing::State state);  // "open", "blocked", "probing", "ramp"

}  // namespace mx
