#include "mx/limits/block.h"

#include <algorithm>
#include <string>
#include <utility>

#include "conf/vocab/utf8.h"

namespace mx {

namespace {
constexpr size_t kMostWords = 500;  // octets of a text of a decision
constexpr uint32_t kMostSamples = 3;
constexpr conf::Duration kLeastRepeat = std::chrono::minutes(1);
}  // namespace

void Block::begin(const conf::RuleThreshold& rule, conf::Instant now) {
  length = std::min(rule.block, rule.max_block);
  for (uint8_t i = 0; i < doublings && length < rule.max_block; ++i)
    length = length < rule.max_block - length ? length * 2 : rule.max_block;
  if (doublings < kMostDoublings) ++doublings;
  last(now);
}

void Block::repeat(const conf::RuleThreshold& rule, conf::Instant now) {
  length = std::max(rule.block / 10, kLeastRepeat);
  last(now);
}

void Block::last(conf::Instant now) {
  until = now + length;
  tried = 0;
  early = by_rule = false;
}

conf::Instant Block::next_probe(const conf::RuleThreshold& rule) const {
  if (rule.first_probe.count() == 0 || length.count() == 0 || by_rule) return until;
  conf::Duration after = rule.first_probe;
  for (uint8_t i = 0; i < tried && after < length; ++i) after *= 2;
  return after < length ? until - length + after : until;
}

void Block::go_on(const conf::RuleThreshold& rule, conf::Instant now) {
  early = false;
  while (tried < kMostDoublings && next_probe(rule) <= now && next_probe(rule) < until) ++tried;
}

void Block::save_why(SavedWriter* out) const {
  out->number(why == nullptr ? 0 : 1);
  if (why == nullptr) return;
  const Decision& decision = why->decision;
  out->instant(why->at);
  out->text(conf::utf8_prefix(decision.by, kMostWords));
  out->text(conf::utf8_prefix(decision.text, kMostWords));
  out->number(static_cast<uint64_t>(decision.line));
  out->number(decision.messages);
  out->number(decision.errors);
  out->instant(decision.until);
  const size_t samples = std::min<size_t>(decision.samples.size(), kMostSamples);
  out->number(samples);
  for (size_t i = 0; i < samples; ++i) out->text(conf::utf8_prefix(decision.samples[i], kMostWords));
}

void Block::restore_why(SavedReader* in) {
  why.reset();
  if (in->number32(1) == 0) return;
  BlockReason reason;
  reason.at = in->recent_past();
  reason.decision.by = in->text(kMostWords);
  reason.decision.text = in->text(kMostWords);
  reason.decision.line = static_cast<int>(in->number32(INT32_MAX));
  reason.decision.messages = in->number();
  reason.decision.errors = in->number();
  reason.decision.until = in->instant();
  for (uint32_t left = in->number32(kMostSamples); left > 0 && in->ok(); --left)
    reason.decision.samples.emplace_back(in->text(kMostWords));
  if (in->ok()) why = std::make_shared<const BlockReason>(std::move(reason));
}

}  // namespace mx
