#include "relay/desk/limit_orders.h"

#include <algorithm>
#include <set>
#include <string>

#include "conf/vocab/address.h"
#include "relay/desk/detached.h"

namespace relay {

namespace {

constexpr size_t kNamesShown = 50;

void change(const admin::MxOrder& order, mx::Standing* standing, conf::Instant until, conf::Instant now) {
  switch (order.action) {
    case admin::MxAction::kBlock:
      standing->block(until, order.why, now);
      return;
    case admin::MxAction::kUnblock:
      standing->unblock(now);
      return;
    case admin::MxAction::kReset:
      standing->reset(now);
      return;
  }
}

bool site_matches(const std::string& mask, const queue::Site& site) {
  if (conf::domain_matches(mask, site.label)) return true;
  return std::any_of(site.paths.begin(), site.paths.end(), [&mask](const auto& named) {
    const std::vector<mx::RouteHost>& hosts = named.second->route->hosts;
    return std::any_of(hosts.begin(), hosts.end(),
                       [&mask](const mx::RouteHost& host) { return conf::domain_matches(mask, host.name); });
  });
}

}  // namespace

bool LimitOrders::is_meant(const admin::MxOrder& order, const queue::Path& path) const {
  if (!order.source.empty() && path.source.name != order.source) return false;
  if (!order.rule.empty()) return path.rule != nullptr && conf::domain_matches(order.rule, path.rule->name);
  if (!order.site.empty()) return site_matches(order.site, *path.site);
  const queue::DomainEntry* domain = transit_->domains().find(order.domain);
  return domain != nullptr && transit_->sites().find(*domain, path.source) == &path;
}

admin::MxOrderDone LimitOrders::carry_out(const admin::MxOrder& order) {
  const conf::Instant now = transit_->clock().now();
  const conf::Instant until = order.block_for.count() == 0 ? conf::kNever : now + order.block_for;
  Dispatcher& dispatcher = transit_->dispatcher();
  admin::MxOrderDone done;
  const auto count = [&done](const std::string& site, const std::string& source) {
    ++done.paths;
    if (done.names.size() < kNamesShown) done.names.push_back(site + " from " + source);
  };
  std::set<const mx::Standing*> reached;  // paths may share one
  transit_->sites().for_each([&](queue::Path* path) {
    if (!is_meant(order, *path)) return;
    count(path->site->label, path->source.name);
    if (reached.insert(path->standing.get()).second) change(order, path->standing.get(), until, now);
    if (order.action == admin::MxAction::kReset) {
      for (auto& [address, traffic] : path->traffic) traffic->reset();
    }
    dispatcher.gate().tell_decisions(*path);
    if (order.action != admin::MxAction::kBlock) dispatcher.poke(path);
  });
  const queue::DomainEntry* domain = order.domain.empty() ? nullptr : transit_->domains().find(order.domain);
  const std::string site =
      domain == nullptr || domain->route == nullptr ? std::string() : domain->route->site;
  const auto is_of_domain = [&](const mx::CounterKey& key) {
    return !site.empty() && key.names.site.substr(0, key.names.site.find('|')) == site &&
           (order.source.empty() || key.names.source == order.source || key.names.source == "*");
  };
  for_each_detached(&transit_->sites(), [&](const mx::CounterKey& key, mx::Standing& standing) {
    if (!relay::is_meant(order, key) && !is_of_domain(key)) return;
    count(view_of(key, standing, now).site, key.names.source);
    change(order, &standing, until, now);
    transit_->counters().hurry();
  });
  return done;
}

}  // namespace relay
