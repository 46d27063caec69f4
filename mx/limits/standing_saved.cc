// What of a standing outlives the process, and what people are shown of it.
#include <algorithm>
#include <utility>

#include "mx/limits/standing.h"

namespace mx {

namespace {

constexpr uint64_t kStandingVersion = 6;
constexpr uint64_t kWithoutSpent = 5;  // without the probes that nobody judged
constexpr uint64_t kWithoutWhy = 4;    // without what led to a block
constexpr uint64_t kWithOrders = 3;    // with an operator's order: these are kept by themselves now
constexpr uint64_t kWithoutEarly = 2;  // ... and without what min_duration and first_probe need
constexpr uint64_t kOldVersion = 1;    // nor the length of a block
constexpr conf::Duration kLongestBlock = std::chrono::hours(24 * 366);
constexpr uint32_t kMostThresholds = 16;                                 // as a bound for what is read
constexpr conf::Duration kProbesForgotten = std::chrono::hours(24 * 7);  // nobody wanted to send for a week

}  // namespace

std::vector<std::string> Standing::replies() const {
  return evidence_ ? evidence_->replies() : std::vector<std::string>();
}

const BlockReason* Standing::why_blocked() const {
  return state_ == State::kBlocked || state_ == State::kProbing ? block_.why.get() : nullptr;
}

uint32_t Standing::learned_per_hour() const { return rate_ && rate_->learned() ? rate_->per_hour() : 0; }

Standing::Ladder Standing::ladder(conf::Instant now) {
  tick(now);
  return ladder_ ? ladder_->view(now) : Ladder{};
}

std::vector<Decision> Standing::take_decisions() { return std::exchange(decisions_, {}); }

std::vector<Standing::Sample> Standing::samples(conf::Instant now) const {
  std::vector<Sample> list;
  for (const Threshold& threshold : thresholds_) {
    const Threshold::Counts counts = threshold.counts(now);
    list.push_back({counts.messages, counts.errors, threshold.rule()});
  }
  return list;
}

bool Standing::idle(conf::Instant now) {
  tick_learning(now);
  return knows_nothing(now);
}

bool Standing::knows_nothing(conf::Instant now) {
  if ((rate_ && !rate_->idle(now)) || (ladder_ && !ladder_->idle(now))) return false;
  if (has_decisions()) return false;
  if (state_ != State::kOpen) return block_.until <= now - kProbesForgotten;
  if (!doubling_is_forgotten(now)) return false;
  return std::ranges::all_of(thresholds_, [&](const Threshold& t) { return t.counts(now).messages == 0; });
}

std::string Standing::save(const Moment& moment) {
  std::string bytes;
  change_.clear();
  if (knows_nothing(moment.now)) return bytes;
  SavedWriter out(&bytes, moment);
  out.number(kStandingVersion);
  out.number(static_cast<uint8_t>(state_));
  out.number(cause_);
  out.number(block_.doublings);
  out.instant(block_.until);
  out.instant(opened_at_);
  out.length(block_.length);
  out.number(thresholds_.size());
  for (const Threshold& threshold : thresholds_) threshold.save(&out);
  (evidence_ ? *evidence_ : Evidence()).save(&out);
  if (state_ == State::kProbing) aftermath_->probes.save(&out);
  if (state_ == State::kRamp) aftermath_->ramp.save(&out);
  out.number(rate_ ? 1 : 0);
  if (rate_) rate_->save(&out, moment);
  out.number(ladder_ ? 1 : 0);
  if (ladder_) ladder_->save(&out, moment);
  out.number(block_.tried);
  out.number((block_.early ? 1 : 0) + (block_.by_rule ? 2 : 0) + (handed_on_ ? 4 : 0));
  for (const Threshold& threshold : thresholds_) threshold.save_since(&out);
  (why_blocked() == nullptr ? Block() : block_).save_why(&out);
  return bytes;
}

bool Standing::restore(std::string_view saved, const Moment& moment) {
  forget();
  if (saved.empty()) return true;
  SavedReader in(saved, moment);
  if (read(&in)) return true;
  forget();
  return false;
}

// As new, with the same limits.
void Standing::forget() {
  forget_state();
  if (rate_) rate_->forget();
  if (ladder_) ladder_->forget();
  change_.clear();
}

void Standing::forget_state() {
  for (Threshold& threshold : thresholds_) threshold.clear();
  aftermath_.reset();
  evidence_.reset();
  decisions_.clear();
  opened_at_ = {};
  block_ = {};
  state_ = State::kOpen;
  cause_ = 0;
  handed_on_ = false;
}

bool Standing::read(SavedReader* in) {
  const uint64_t version = in->number();
  if (version < kOldVersion || version > kStandingVersion) return false;
  auto state = static_cast<State>(in->number32(static_cast<uint8_t>(State::kRamp)));
  cause_ = static_cast<uint8_t>(in->number32(UINT8_MAX));
  block_.doublings = static_cast<uint8_t>(in->number32(Block::kMostDoublings));
  const bool ordered = version <= kWithOrders && in->number32(1) == 1;
  block_.until = in->instant();
  opened_at_ = in->recent_past();
  if (version == kOldVersion) {
    if (ordered) state = State::kOpen;
  } else {
    if (version <= kWithOrders) (void)in->instant();  // the end of the order
    block_.length = std::min(in->length(), kLongestBlock);
  }
  const uint32_t saved = in->number32(kMostThresholds);
  for (uint32_t i = 0; i < saved && in->ok(); ++i) {
    Threshold unused{conf::RuleThreshold{}};  // the rule has fewer now
    (i < thresholds_.size() ? thresholds_[i] : unused).restore(in);
  }
  evidence_ = std::make_unique<Evidence>();
  evidence_->restore(in);
  if (evidence_->replies().empty()) evidence_.reset();
  if (cause_ >= thresholds_.size()) cause_ = 0;
  if (state == State::kProbing || state == State::kRamp) aftermath_ = std::make_unique<Aftermath>();
  if (state == State::kProbing) aftermath_->probes.restore(in, version > kWithoutSpent);
  if (state == State::kRamp) aftermath_->ramp.restore(in);
  read_learning(in);
  if (version > kWithoutEarly) read_early(saved, in);
  if (version > kWithoutWhy) block_.restore_why(in);
  state_ = state;
  if (!in->ok() || !in->ended()) return false;
  // A wall clock that was moved does not make a block longer than it was, nor does a rule that was changed
  // make it shorter.
  if (state_ == State::kBlocked && block_.length.count() > 0)
    block_.until = std::min(block_.until, in->moment().now + block_.length);
  return true;
}

void Standing::read_early(uint32_t thresholds, SavedReader* in) {
  block_.tried = static_cast<uint8_t>(in->number32(Block::kMostDoublings));
  const uint32_t flags = in->number32(7);
  block_.early = (flags & 1) != 0;
  block_.by_rule = (flags & 2) != 0;
  handed_on_ = (flags & 4) != 0;
  for (uint32_t i = 0; i < thresholds && in->ok(); ++i) {
    Threshold unused{conf::RuleThreshold{}};
    (i < thresholds_.size() ? thresholds_[i] : unused).restore_since(in);
  }
}

// Read and dropped when the rule does not ask for it any more.
void Standing::read_learning(SavedReader* in) {
  PathLimits other;
  other.warmup = {1};
  if (in->number32(1) == 1) {
    AdaptiveRate unused(other);
    (rate_ ? *rate_ : unused).restore(in);
  }
  if (in->number32(1) == 1) {
    WarmUp unused(other);
    (ladder_ ? *ladder_ : unused).restore(in);
  }
}

void Standing::assume_used(conf::Instant begin, conf::Instant end) {
  if (state_ == State::kRamp) aftermath_->ramp.assume_used(end);
  if (rate_) rate_->assume_used(begin, end);
  if (ladder_) ladder_->assume_used(begin, end);
  touch();
}

}  // namespace mx
