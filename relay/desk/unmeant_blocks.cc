#include "relay/desk/unmeant_blocks.h"

#include <algorithm>
#include <optional>
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

void UnmeantBlocks::settle(queue::Path* path, const DomainOrders::Latest& latest, conf::Instant now) {
  transit_->dispatcher().gate().end_order(path, now);
  const OrderBook::Entry* entry = latest.of(*path);
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
  const size_t at_once = std::clamp<size_t>(kBudget / close_look, 1, kPathsAtOnce);
  std::optional<DomainOrders::Latest> latest;
  const auto use = [&](queue::Path* path) {
    const bool close = path->holds.ordered(now) || path->holds.has_ended_order(now);
    budget -= std::min(budget, close ? close_look : 1);
    if (!close) return;
    if (!latest) latest = domains_->latest(now);
    settle(path, *latest, now);
  };
  while (budget > 0) {
    if (transit_->sites().visit_some(&part_, at_once, use)) continue;
    part_ = 0;
    at_ = std::exchange(again_, conf::kNever);
    return true;
  }
  return false;
}

}  // namespace relay
