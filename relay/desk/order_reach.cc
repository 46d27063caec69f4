#include "relay/desk/order_reach.h"

#include <algorithm>

#include "conf/vocab/address.h"
#include "relay/desk/site_mask.h"
#include "relay/flow/site_key.h"

namespace relay {

std::string name_of(const queue::Path& path) {
  return path.site->key + '\n' + path.source.name + '\n' +
         (path.rule == nullptr ? std::string() : path.rule->name) + '\n' +
         (path.route == nullptr ? std::string() : path.route->order);
}

bool OrderReach::is_meant(const admin::MxOrder& order, const queue::Path& path) const {
  if (!order.source.empty() && path.source.name != order.source) return false;
  if (!order.rule.empty())
    return path.rule != nullptr && !path.superseded && conf::domain_matches(order.rule, path.rule->name);
  if (!order.site.empty()) return means_site(order.site, path.site->label);
  if (order.domain.empty()) return order.all || !order.source.empty();
  const queue::DomainEntry* domain = transit_->domains().find(order.domain);
  return domain != nullptr && transit_->sites().find(*domain, path.source) == &path;
}

const OrderBook::Entry* OrderReach::latest_for(const queue::Path& path, conf::Instant now) const {
  const OrderBook::Entry* latest = nullptr;
  for (const OrderBook::Entry& entry : book_->all(now)) {
    if (is_meant(entry.order, path) && (latest == nullptr || entry.until > latest->until)) latest = &entry;
  }
  return latest;
}

conf::Instant OrderReach::until_for(const queue::DomainEntry& domain, const conf::Source& source,
                                    const std::string& rule, conf::Instant now) const {
  const auto would_mean = [&](const admin::MxOrder& order) {
    if (!order.source.empty() && order.source != source.name) return false;
    if (!order.rule.empty()) return !rule.empty() && conf::domain_matches(order.rule, rule);
    if (!order.site.empty()) return domain.route != nullptr && means_site(order.site, domain.route->site);
    return order.domain.empty() ? order.all || !order.source.empty() : order.domain == domain.name.text();
  };
  conf::Instant until{};
  for (const OrderBook::Entry& entry : book_->all(now))
    if (would_mean(entry.order)) until = std::max(until, entry.until);
  return until;
}

std::vector<queue::Path*> OrderReach::paths_of(const admin::MxOrder& order) const {
  std::vector<queue::Path*> paths;
  const queue::DomainEntry* domain = transit_->domains().find(order.domain);
  if (domain == nullptr) return paths;
  for (const conf::Source& source : transit_->config()->sources) {
    if (!order.source.empty() && source.name != order.source) continue;
    if (queue::Path* path = transit_->sites().find(*domain, source)) paths.push_back(path);
  }
  return paths;
}

const mx::Route* OrderReach::route_of(const admin::MxOrder& order) const {
  const queue::DomainEntry* domain = order.domain.empty() ? nullptr : transit_->domains().find(order.domain);
  return domain == nullptr ? nullptr : domain->route.get();
}

bool OrderReach::leads_to(const admin::MxOrder& order, const std::string& site) const {
  const mx::Route* route = route_of(order);
  return route != nullptr && means_site(site, route->site);
}

bool OrderReach::is_led_to(std::string_view site, const admin::MxOrder& order) const {
  const mx::Route* route = route_of(order);
  return route != nullptr && !route->site.empty() && queue::label_of(site) == route->site;
}

}  // namespace relay
