#include "relay/desk/unmeant_blocks.h"

#include <algorithm>
#include <utility>

#include "relay/desk/path_orders.h"

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
  return reach_->latest_for(path, now) != nullptr || domains_->may_mean(path, now);
}

bool UnmeantBlocks::step(conf::Instant now) {
  if (now < at_) return false;
  size_t budget = kBudget;
  const auto use = [&](queue::Path* path) {
    const bool close = path->ordered(now);
    budget -= std::min(budget, close ? kOfCloseLook : 1);
    if (close && !is_meant(*path, now)) free_path(transit_, path, "no order means it any more", "", now);
  };
  while (budget > 0) {
    if (transit_->sites().visit_some(&part_, kPathsAtOnce, use)) continue;
    part_ = 0;
    at_ = std::exchange(again_, conf::kNever);
    return true;
  }
  return false;
}

}  // namespace relay
