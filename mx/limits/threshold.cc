#include "mx/limits/threshold.h"

#include <algorithm>
#include <vector>

namespace mx {

void Threshold::set(const conf::RuleThreshold& rule) {
  const bool same_errors = rule.count_hard == rule_.count_hard && rule.count_soft == rule_.count_soft &&
                           rule.scope == rule_.scope && rule.reasons == rule_.reasons;
  rule_ = rule;
  if (!same_errors) clear();
  cut_anew(slot_of(rule));
}

// Another window: its slots are filled from the old ones, each as of its begin.
void Threshold::cut_anew(conf::Duration slot) {
  if (slot == slot_) return;
  struct Old {
    Slot counts;
    conf::Instant begin;
  };
  std::vector<Old> old;
  for (uint32_t back = kSlots; back-- > 0 && messages_ != 0;) {
    const Slot counts = at((newest_ + kSlots - back) % kSlots);
    if (counts.messages != 0) old.push_back({counts, begin_ - slot_ * back});
  }
  const conf::Instant since = reached_since_;
  clear();
  slot_ = slot;
  for (const Old& each : old) add(each.counts, each.begin);
  if (messages_ != 0) reached_since_ = since;
}

// A request for a slower pace is obeyed; it says nothing of what becomes of the mail.
bool Threshold::is_sample(const Outcome& outcome) {
  return outcome.kind != Outcome::Kind::kIgnored &&
         (outcome.kind != Outcome::Kind::kSoft || !outcome.throttling);
}

bool Threshold::is_error(const Outcome& outcome) const {
  const bool kind = (outcome.kind == Outcome::Kind::kHard && rule_.count_hard) ||
                    (outcome.kind == Outcome::Kind::kSoft && rule_.count_soft);
  if (!kind || !is_sample(outcome)) return false;
  if (!rule_.reasons.empty() && std::ranges::find(rule_.reasons, outcome.reason) == rule_.reasons.end())
    return false;
  switch (rule_.scope) {
    case conf::ThresholdScope::kAny:
      return true;
    case conf::ThresholdScope::kSender:
      return outcome.sender_scope;
    case conf::ThresholdScope::kRecipient:
      return outcome.recipient_scope;
  }
  return false;
}

Threshold::Slot Threshold::at(uint32_t place) const {
  return {get(messages_high_, place) << 16 | get(messages_low_, place),
          get(errors_high_, place) << 16 | get(errors_low_, place)};
}

void Threshold::set(std::unique_ptr<Halves>* halves, uint32_t place, uint32_t value) {
  if (!*halves && value == 0) return;
  if (!*halves) *halves = std::make_unique<Halves>();
  (**halves)[place] = static_cast<uint16_t>(value);
}

void Threshold::put(uint32_t place, Slot slot) {
  set(&messages_low_, place, slot.messages & UINT16_MAX);
  set(&messages_high_, place, slot.messages >> 16);
  set(&errors_low_, place, slot.errors & UINT16_MAX);
  set(&errors_high_, place, slot.errors >> 16);
}

void Threshold::clear() {
  messages_ = errors_ = 0;
  reached_since_ = conf::kNever;
  messages_low_.reset();
  messages_high_.reset();
  errors_low_.reset();
  errors_high_.reset();
}

// The newest slot is over: as many new ones begin as time has passed, and take the place of the oldest.
void Threshold::slot_over(conf::Instant now) {
  const int64_t steps = (now - begin_) / slot_;
  if (steps >= kSlots) return clear();
  begin_ += slot_ * steps;
  for (int64_t i = 0; i < steps; ++i) {
    newest_ = (newest_ + 1) % kSlots;
    const Slot oldest = at(newest_);
    messages_ -= oldest.messages;
    errors_ -= oldest.errors;
    put(newest_, {});
  }
  if (messages_ == 0) clear();
}

void Threshold::age(conf::Instant now) {
  if (messages_ != 0 && now - begin_ >= slot_) slot_over(now);
}

Threshold::Counts Threshold::counts(conf::Instant now) const {
  Counts left{messages_, errors_};
  if (messages_ == 0) return left;
  const int64_t steps = (now - begin_) / slot_;
  if (steps >= kSlots) return {};
  for (int64_t i = 1; i <= steps; ++i) {
    const Slot gone = at(static_cast<uint32_t>((newest_ + i) % kSlots));
    left.messages -= gone.messages;
    left.errors -= gone.errors;
  }
  return left;
}

void Threshold::add(Slot counts, conf::Instant now) {
  age(now);
  if (messages_ == 0) {
    begin_ = now;
    newest_ = 0;
  }
  Slot slot = at(newest_);
  slot.messages += counts.messages;
  slot.errors += counts.errors;
  put(newest_, slot);
  messages_ += counts.messages;
  errors_ += counts.errors;
}

void Threshold::count(const Outcome& outcome, conf::Instant now) {
  if (!is_sample(outcome)) return;
  add({1, is_error(outcome) ? 1U : 0U}, now);
  if (!reached(errors_, messages_)) {
    reached_since_ = conf::kNever;
  } else if (reached_since_ == conf::kNever) {
    reached_since_ = now;
  }
}

void Threshold::save_since(SavedWriter* out) const {
  const bool reaches = reached_since_ != conf::kNever;
  out->number(reaches ? 1 : 0);
  if (reaches) out->instant(reached_since_);
}

void Threshold::restore_since(SavedReader* in) {
  const conf::Instant since = in->number32(1) == 1 ? in->recent_past() : conf::kNever;
  if (in->ok() && messages_ != 0) reached_since_ = since;
}

void Threshold::save(SavedWriter* out) const {
  uint32_t used = 0;
  for (uint32_t place = 0; place < kSlots && messages_ != 0; ++place) used += at(place).messages != 0 ? 1 : 0;
  out->number(used);
  if (used == 0) return;
  out->length(slot_);
  out->instant(begin_);
  for (uint32_t back = 0; back < kSlots; ++back) {
    const Slot slot = at((newest_ + kSlots - back) % kSlots);
    if (slot.messages == 0) continue;
    out->number(back);
    out->number(slot.messages);
    out->number(slot.errors);
  }
}

bool Threshold::restore(SavedReader* in) {
  clear();
  const uint32_t used = in->number32(kSlots);
  if (used == 0) return in->ok();
  const conf::Duration slot = in->length();
  const conf::Instant begin = in->recent_past();
  if (slot.count() == 0 || slot > std::chrono::hours(24 * 365)) in->fail();
  slot_ = std::max(slot, conf::Duration(1));
  begin_ = begin;
  newest_ = 0;
  for (uint32_t i = 0; i < used && in->ok(); ++i) {
    const uint32_t place = (kSlots - in->number32(kSlots - 1)) % kSlots;
    const uint32_t messages = in->number32();
    const uint32_t errors = in->number32(messages);
    if (messages == 0 || at(place).messages != 0) in->fail();
    put(place, {messages, errors});
    messages_ += messages;
    errors_ += errors;
  }
  if (!in->ok()) clear();
  cut_anew(slot_of(rule_));  // the window of the rule may have changed meanwhile
  return in->ok();
}

}  // namespace mx
