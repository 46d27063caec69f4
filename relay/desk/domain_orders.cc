#include "relay/desk/domain_orders.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace relay {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Duration kFollowEvery = 1s;
constexpr size_t kLooksPerStep = 2048;  // for one path each

std::string domain_and_source(const admin::MxOrder& order) { return order.domain + '\n' + order.source; }

}  // namespace

void DomainOrders::hurry(conf::Instant now) {
  look_at_ = now;
  next_ = 0;
  for (const OrderBook::Entry& entry : book_->all(now)) {
    if (entry.order.domain.empty()) continue;
    const auto [led, fresh] = led_to_.try_emplace(domain_and_source(entry.order));
    if (!fresh) continue;
    for (const queue::Path* path : reach_->paths_of(entry.order)) led->second.insert(name_of(*path));
  }
}

void DomainOrders::found(const queue::DomainEntry& domain, conf::Instant now, const Hold& hold) {
  for (const OrderBook::Entry& entry : book_->all(now)) {
    if (entry.order.domain != domain.name.text()) continue;
    const std::string name = domain_and_source(entry.order);
    for (queue::Path* path : reach_->paths_of(entry.order)) {
      led_to_[name].insert(name_of(*path));
      hold(path, entry);
    }
  }
}

bool DomainOrders::look(const OrderBook::Entry& entry, const Hold& hold) {
  const std::string name = domain_and_source(entry.order);
  const auto before = led_to_.find(name);
  Names& here = leads_[name];
  for (queue::Path* path : reach_->paths_of(entry.order)) {
    here.insert(name_of(*path));
    hold(path, entry);
  }
  if (before == led_to_.end()) return false;
  if (!here.empty()) return !std::ranges::includes(here, before->second);
  here = before->second;  // it leads nowhere at present
  return false;
}

bool DomainOrders::step(conf::Instant now, size_t sources, const Hold& hold) {
  if (now < look_at_) return false;
  const std::vector<OrderBook::Entry>& orders = book_->all(now);
  if (orders.size() != of_) next_ = 0;  // one is over
  if (next_ == 0) leads_.clear();
  of_ = orders.size();
  bool left = false;
  size_t looks = 0;
  for (; next_ < of_ && looks < kLooksPerStep; ++next_) {
    const admin::MxOrder& order = orders[next_].order;
    if (order.domain.empty()) continue;
    looks += order.source.empty() ? sources : 1;
    left = look(orders[next_], hold) || left;
  }
  if (next_ < of_) return left;
  next_ = 0;
  led_to_ = std::exchange(leads_, {});
  look_at_ = led_to_.empty() ? conf::kNever : now + kFollowEvery;
  return left;
}

const OrderBook::Entry* DomainOrders::latest_for(const queue::Path& path, conf::Instant now,
                                                 const OrderReach::Lifted& lifted) const {
  const OrderBook::Entry* latest = reach_->latest_for(path, now, lifted);
  const std::string name = name_of(path);
  for (const OrderBook::Entry& entry : book_->all(now)) {
    const admin::MxOrder& order = entry.order;
    if (order.domain.empty() || (!order.source.empty() && order.source != path.source.name)) continue;
    if (latest != nullptr && latest->until >= entry.until) continue;
    if (lifted && lifted(order)) continue;
    const auto led = led_to_.find(domain_and_source(order));
    if (led == led_to_.end() || !led->second.contains(name)) continue;
    if (reach_->paths_of(order).empty()) latest = &entry;
  }
  return latest;
}

}  // namespace relay
