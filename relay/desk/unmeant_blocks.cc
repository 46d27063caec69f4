#include "relay/desk/unmeant_blocks.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace relay {

namespace {

// Of paths that no order blocked; one that is looked at closely counts for many.
constexpr size_t kBudget = 4096;
constexpr size_t kOfCloseLook = 32;
constexpr size_t kPathsAtOnce = 64;

}  // namespace

void UnmeantBlocks::look(conf::Instant at) {
  conf::Instant* when = under_way() ? &again_ : &at_;
  *when = std::min(*when, at);
}

bool UnmeantBlocks::is_meant(const queue::Path& path, conf::Instant now) const {
  return meant_.contains(path.standing) || reach_->latest_for(path, now) != nullptr ||
         domains_->may_mean(path, now);
}

void UnmeantBlocks::free(queue::Path* path, conf::Instant now) {
  mx::Standing* standing = path->standing.get();
  if (freed_.contains(path->standing)) return transit_->dispatcher().poke(path);
  if (is_meant(*path, now)) return;
  (void)standing->may_connect(now);  // an order that is over ends by itself
  if (!standing->ordered()) return;
  standing->unblock(now);
  std::vector<mx::Decision> decisions = standing->take_decisions();
  for (mx::Decision& decision : decisions) decision.text.insert(0, "no order means it any more: ");
  transit_->dispatcher().gate().tell(*path, decisions);
  transit_->dispatcher().poke(path);
  if (has_shared_standing(*path)) freed_.insert(path->standing);
}

bool UnmeantBlocks::step(conf::Instant now) {
  if (now < at_) return false;
  size_t budget = kBudget;
  const auto use = [&](queue::Path* path) {
    const bool close = path->standing->ordered() || freed_.contains(path->standing);
    budget -= std::min(budget, close ? kOfCloseLook : 1);
    if (!close) return;
    if (phase_ == Phase::kFree) return free(path, now);
    if (has_shared_standing(*path) && is_meant(*path, now)) meant_.insert(path->standing);
  };
  while (budget > 0) {
    if (transit_->sites().visit_some(&part_, kPathsAtOnce, use)) continue;
    part_ = 0;
    if (phase_ == Phase::kFree) {
      at_ = std::exchange(again_, conf::kNever);
      phase_ = Phase::kAsk;
      meant_.clear();
      freed_.clear();
      return true;
    }
    phase_ = Phase::kFree;
  }
  return false;
}

}  // namespace relay
