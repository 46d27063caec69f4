#include "mx/limits/block.h"

#include <algorithm>

namespace mx {

void Block::begin(const conf::RuleThreshold& rule, conf::Instant now) {
  length = std::min(rule.block, rule.max_block);
  for (uint8_t i = 0; i < doublings && length < rule.max_block; ++i)
    length = length < rule.max_block - length ? length * 2 : rule.max_block;
  if (doublings < kMostDoublings) ++doublings;
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

}  // namespace mx
