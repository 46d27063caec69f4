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
  named_.clear();
  for (const OrderBook::Entry& entry : book_->all(now)) {
    if (entry.order.domain.empty()) continue;
    named_.insert(entry.order.domain);
    const auto [led, fresh] = led_to_.try_emplace(domain_and_source(entry.order));
    if (!fresh) continue;
    for (const queue::Path* path : reach_->paths_of(entry.order)) led->second.insert(name_of(*path));
  }
}

void DomainOrders::found(const queue::DomainEntry& domain, conf::Instant now, const Hold& hold) {
  if (!named_.contains(domain.name.text())) return;
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

const OrderBook::Entry* DomainOrders::Latest::of(const queue::Path& path) const {
  const auto found = of_domains_.empty() ? of_domains_.end() : of_domains_.find(name_of(path));
  const OrderBook::Entry* latest = found == of_domains_.end() ? nullptr : found->second;
  for (const OrderBook::Entry* entry : wide_) {
    const bool later = latest == nullptr || entry->until > latest->until;
    if (later && reach_->is_meant(entry->order, path)) latest = entry;
  }
  return latest;
}

DomainOrders::Latest DomainOrders::latest(conf::Instant now, const Lifted& lifted) const {
  Latest all;
  all.reach_ = reach_;
  const auto holds = [&all](const std::string& path, const OrderBook::Entry& entry) {
    const OrderBook::Entry*& latest = all.of_domains_[path];
    if (latest == nullptr || entry.until > latest->until) latest = &entry;
  };
  for (const OrderBook::Entry& entry : book_->all(now)) {
    if (lifted && lifted(entry.order)) continue;
    if (entry.order.domain.empty()) {
      if (entry.order.stream.empty()) all.wide_.push_back(&entry);
      continue;
    }
    const std::vector<queue::Path*> paths = reach_->paths_of(entry.order);
    for (const queue::Path* path : paths) holds(name_of(*path), entry);
    if (!paths.empty()) continue;
    const auto led = led_to_.find(domain_and_source(entry.order));
    if (led == led_to_.end()) continue;
    for (const std::string& path : led->second) holds(path, entry);
  }
  return all;
}

}  // namespace relay
