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

void UnmeantBlocks::settle(queue::Path* path, conf::Instant now) {
  transit_->dispatcher().gate().end_order(path, now);
  const OrderBook::Entry* entry = domains_->latest_for(*path, now);
  if (entry == nullptr) {
    if (path->holds.ordered(now)) free_path(transit_, path, "no order means it any more", "", now);
  } else if (entry->until != path->holds.ordered_until()) {
    hold_path(transit_, path, *entry, entry->order, now);
  }
}

bool UnmeantBlocks::step(conf::Instant now) {
  if (now < at_) return false;
  size_t budget = kBudget;
  const size_t close_look = kOfCloseLook + reach_->orders(now);  // each is asked whether it means the path
  const auto use = [&](queue::Path* path) {
    const bool close = path->holds.ordered(now) || path->holds.has_ended_order(now);
    budget -= std::min(budget, close ? close_look : 1);
    if (close) settle(path, now);
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
