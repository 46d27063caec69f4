#include "mx/limits/rule_changes.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "conf/vocab/address.h"
#include "mx/limits/saved.h"
#include "mx/rules/rule_check.h"

namespace mx {

namespace {

constexpr uint64_t kRulesVersion = 1;
constexpr size_t kMostName = 4096;
constexpr uint64_t kMostKnown = 1'000'000;

// Of each name: a hash of the names that stand above it and are in `both`, whatever their order.
using Above = std::unordered_map<std::string_view, uint64_t>;
constexpr size_t kMostMasks = 1000;  // of a rule, with those that it had

void add_masks(const std::vector<std::string>& old, std::vector<std::string>* masks) {
  if (old.empty()) return masks->clear();
  if (masks->empty()) return;
  for (const std::string& mask : old)
    if (masks->size() < kMostMasks && std::ranges::find(*masks, mask) == masks->end()) masks->push_back(mask);
}

template <typename Rules, typename Both>
Above above(const Rules& rules, const Both& both) {
  Above result;
  uint64_t sum = 0;
  for (const auto& [name, is_here] : rules) {
    if (!is_here || !both(name)) continue;
    result.emplace(name, sum);
    sum += std::hash<std::string_view>()(name) | 1;
  }
  return result;
}

}  // namespace

bool RuleChanges::set(std::vector<Rule> rules) {
  now_ = std::move(rules);
  if (!known_.empty()) return compare();
  for (const Rule& rule : now_) known_.push_back({rule});
  return false;
}

const RuleChanges::Known* RuleChanges::find(std::string_view name) const {
  const auto found =
      std::ranges::find(known_, name, [](const Known& known) { return std::string_view(known.rule.name); });
  return found == known_.end() ? nullptr : &*found;
}

bool RuleChanges::compare() {
  std::unordered_map<std::string_view, const Known*> before;
  for (const Known& known : known_) before.emplace(known.rule.name, &known);
  std::unordered_map<std::string_view, bool> now;
  for (const Rule& rule : now_) now.emplace(rule.name, true);
  std::vector<std::pair<std::string_view, bool>> old_order, new_order;
  for (const Known& known : known_) old_order.emplace_back(known.rule.name, !known.gone);
  for (const Rule& rule : now_) new_order.emplace_back(rule.name, true);
  const auto in_both = [&](std::string_view name) {
    const auto found = before.find(name);
    return now.contains(name) && found != before.end() && !found->second->gone;
  };
  const Above above_before = above(old_order, in_both), above_now = above(new_order, in_both);
  const uint32_t next = generation_ + 1;
  bool any = false;
  std::vector<Known> result;
  for (const Rule& rule : now_) {
    const auto old = before.find(rule.name);
    Known fresh{rule};
    if (old == before.end() || old->second->gone) {
      fresh.reach_changed = next;
    } else {
      const bool same =
          old->second->rule.reach == rule.reach && above_before.at(rule.name) == above_now.at(rule.name);
      fresh.reach_changed = same ? old->second->reach_changed : next;
      add_masks(old->second->rule.mx, &fresh.rule.mx);
      fresh.shape_changed = old->second->rule.shape == rule.shape ? old->second->shape_changed : next;
    }
    any = any || fresh.reach_changed == next || fresh.shape_changed == next;
    result.push_back(std::move(fresh));
  }
  std::vector<Known> gone;
  for (const Known& known : known_) {
    if (now.contains(known.rule.name)) continue;
    gone.push_back(known);
    if (known.gone) continue;
    gone.back().gone = any = true;
    gone.back().reach_changed = next;
  }
  std::ranges::stable_sort(gone, std::ranges::greater(), &Known::reach_changed);
  if (gone.size() > kMostGone) gone.resize(kMostGone);
  result.insert(result.end(), gone.begin(), gone.end());
  known_ = std::move(result);
  if (any) generation_ = next;
  return any;
}

uint32_t RuleChanges::reach_changed(std::string_view name) const {
  const Known* known = find(name);
  return known == nullptr ? generation_ : known->reach_changed;
}

uint32_t RuleChanges::changed(std::string_view one, std::string_view other) const {
  if (one != other) return std::max(reach_changed(one), reach_changed(other));
  const Known* known = find(one);
  return known == nullptr ? generation_ : std::max(known->reach_changed, known->shape_changed);
}

bool RuleChanges::may_match(std::string_view rule, const std::vector<std::string>& hosts) const {
  const Known* known = find(rule);
  if (known == nullptr) return false;
  const std::vector<std::string>& masks = known->rule.mx;
  return masks.empty() || std::ranges::any_of(hosts, [&masks](const std::string& host) {
           return std::ranges::any_of(
               masks, [&host](const std::string& mask) { return conf::domain_matches(mask, host); });
         });
}

bool RuleChanges::may_meet(std::string_view one, std::string_view other) const {
  const Known *first = find(one), *second = find(other);
  if (first == nullptr || second == nullptr) return false;
  if (first->rule.mx.empty() || second->rule.mx.empty()) return true;
  return masks_meet(first->rule.mx, second->rule.mx);
}

std::string RuleChanges::renamed(std::string_view gone) const {
  const Known* before = find(gone);
  if (before == nullptr || !before->gone) return {};
  for (const Rule& rule : now_)
    if (rule.reach == before->rule.reach && rule.shape == before->rule.shape) return rule.name;
  return {};
}

std::string RuleChanges::matches_as(std::string_view gone) const {
  const Known* before = find(gone);
  if (before == nullptr || !before->gone) return {};
  const auto same = std::ranges::find(now_, before->rule.reach, &Rule::reach);
  return same == now_.end() ? std::string() : same->name;
}

std::string RuleChanges::save() const {
  const Moment moment;
  std::string saved;
  SavedWriter out(&saved, moment);
  out.number(kRulesVersion);
  out.number(generation_);
  out.number(known_.size());
  for (const Known& known : known_) {
    out.text(known.rule.name);
    out.number(known.rule.reach);
    out.number(known.rule.shape);
    out.number(known.gone ? 1 : 0);
    out.number(known.reach_changed);
    out.number(known.shape_changed);
    out.number(known.rule.mx.size());
    for (const std::string& mask : known.rule.mx) out.text(mask);
  }
  return saved;
}

bool RuleChanges::restore(std::string_view saved) {
  const Moment moment;
  SavedReader in(saved, moment);
  if (in.number() != kRulesVersion) return false;
  const uint32_t generation = in.number32();
  std::vector<Known> known;
  for (uint64_t left = in.number(kMostKnown); left > 0 && in.ok(); --left) {
    Known one;
    one.rule.name = in.text(kMostName);
    one.rule.reach = in.number();
    one.rule.shape = in.number();
    one.gone = in.number(1) == 1;
    one.reach_changed = in.number32();
    one.shape_changed = in.number32();
    for (uint64_t masks = in.number(kMostKnown); masks > 0 && in.ok(); --masks)
      one.rule.mx.emplace_back(in.text(kMostName));
    known.push_back(std::move(one));
  }
  if (!in.ok() || !in.ended()) return false;
  generation_ = generation;
  known_ = std::move(known);
  if (!now_.empty()) compare();
  return true;
}

}  // namespace mx
