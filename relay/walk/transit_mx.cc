// What the Transit tells about the limits of its paths, and the orders of operators about them.
#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "conf/vocab/address.h"
#include "relay/walk/detached.h"
#include "relay/walk/path_view.h"
#include "relay/walk/transit.h"

namespace relay {

namespace {

constexpr size_t kNamesShown = 50;

bool is_of_interest(const queue::Path& path, conf::Instant now) {
  return !path.ready.empty() || path.connections > 0 || path.backoff_until > now ||
         path.standing->state() != mx::Standing::State::kOpen ||
         std::ranges::any_of(path.traffic,
                             [now](const auto& entry) { return entry.second->slowed_until() > now; });
}

void carry_out(const admin::MxOrder& order, mx::Standing* standing, conf::Instant until, conf::Instant now) {
  if (order.action == admin::MxAction::kBlock) {
    standing->block(until, order.why, now);
  } else if (order.action == admin::MxAction::kUnblock) {
    standing->unblock(now);
  } else {
    standing->reset(now);
  }
}

bool site_matches(const std::string& mask, const queue::Site& site) {
  if (conf::domain_matches(mask, site.label)) return true;
  return std::ranges::any_of(site.paths, [&mask](const auto& named) {
    return std::ranges::any_of(named.second->route->hosts, [&mask](const mx::RouteHost& host) {
      return conf::domain_matches(mask, host.name);
    });
  });
}

}  // namespace

std::vector<admin::PathView> Transit::paths(size_t limit) {
  const conf::Instant now = parts_.clock->now();
  std::vector<queue::Path*> all;
  sites_.for_each([&](queue::Path* path) {
    if (is_of_interest(*path, now)) all.push_back(path);
  });
  std::ranges::sort(all, [](const queue::Path* a, const queue::Path* b) {
    const auto weight = [](const queue::Path& path) {
      return std::pair(path.standing->state() != mx::Standing::State::kOpen,
                       path.ready.size() + path.connections);
    };
    return weight(*a) > weight(*b);
  });
  if (all.size() > limit) all.resize(limit);
  const auto in_flight = dispatcher_.in_flight_by_path();
  std::vector<admin::PathView> views;
  for (queue::Path* path : all) {
    const auto count = in_flight.find(path);
    views.push_back(
        view_of(path, count == in_flight.end() ? 0 : count->second, &dispatcher_.gate(), decisions_, now));
  }
  for_each_detached(&sites_, [&](const mx::CounterKey& key, const mx::Standing& standing) {
    if (views.size() < limit) views.push_back(view_of(key, standing, now));
  });
  return views;
}

// Makes what is not there yet: the domain's entry, its route, its paths. The sweep forgets them again.
void Transit::explain(const std::string& domain_name, const std::string& source,
                      std::function<void(admin::Explanation)> done) {
  conf::Result<conf::Domain> domain = conf::Domain::parse(domain_name);
  if (!domain.ok()) {
    admin::Explanation answer;
    answer.route.domain = domain_name;
    answer.problem = "\"" + domain_name + "\" is no domain: " + domain.error().detail;
    done(std::move(answer));
    return;
  }
  const uint32_t number = domains_.intern(*domain);
  asked_.push_back({number, source, std::move(done)});
  queue::DomainEntry& entry = domains_.at(number);
  settings_of(entry);
  if (entry.route != nullptr && entry.route_until > parts_.clock->now()) {
    answer_asked(entry);
  } else if (!entry.routing) {
    begin_route(entry);
  }
}

bool Transit::is_asked(uint32_t domain) const {
  return std::ranges::any_of(asked_,
                             [domain](const AskedExplanation& each) { return each.domain == domain; });
}

void Transit::answer_asked(queue::DomainEntry& domain) {
  std::vector<AskedExplanation> mine;
  for (size_t i = asked_.size(); i-- > 0;) {
    if (asked_[i].domain != domain.number) continue;
    mine.push_back(std::move(asked_[i]));
    asked_.erase(asked_.begin() + static_cast<ptrdiff_t>(i));
  }
  for (AskedExplanation& each : mine) {
    each.done(explanation_of(&domain, each.source));
    domains_.release(each.domain);
  }
}

admin::Explanation Transit::explanation_of(queue::DomainEntry* domain, const std::string& source) {
  const conf::Instant now = parts_.clock->now();
  admin::Explanation answer;
  answer.route.domain = domain->name.text();
  answer.route.detail = domain->route->detail;
  answer.route.site = domain->route->site;
  answer.route.by = domain->smart_route ? "smart hosts" : "MX";
  answer.route.ttl_seconds = std::max(0.0, std::chrono::duration<double>(domain->route_until - now).count());
  for (const mx::RouteHost& host : domain->route->hosts)
    answer.route.hosts.push_back({host.name, host.preference, host.addresses});
  const auto& sources = parts_.config->sources;
  const bool known = std::ranges::any_of(sources, [&](const conf::Source& s) { return s.name == source; });
  answer.unknown_source = !source.empty() && !known;
  if (answer.unknown_source) {
    answer.problem = "no [[source]] is named \"" + source + "\"";
    return answer;
  }
  if (domain->route->kind != mx::Route::Kind::kHosts) {
    answer.problem = domain->route->detail;
    return answer;
  }
  const auto in_flight = dispatcher_.in_flight_by_path();
  for (const conf::Source& each : sources) {
    if ((!source.empty() && each.name != source) || !sites_.usable(*domain, each)) continue;
    queue::Path* path = sites_.path_from(domain, each);
    const auto count = in_flight.find(path);
    answer.paths.push_back(
        view_of(path, count == in_flight.end() ? 0 : count->second, &dispatcher_.gate(), decisions_, now));
  }
  if (answer.paths.empty() && answer.problem.empty())
    answer.problem = "no [[source]] may send to this domain (masks, weight, or no address of its family)";
  return answer;
}

bool Transit::is_meant(const admin::MxOrder& order, const queue::Path& path) const {
  if (!order.source.empty() && path.source.name != order.source) return false;
  if (!order.rule.empty()) return path.rule != nullptr && conf::domain_matches(order.rule, path.rule->name);
  if (!order.site.empty()) return site_matches(order.site, *path.site);
  const queue::DomainEntry* domain = domains_.find(order.domain);
  return domain != nullptr && sites_.find(*domain, path.source) == &path;
}

admin::MxOrderDone Transit::order(const admin::MxOrder& order) {
  const conf::Instant now = parts_.clock->now();
  const conf::Instant until = order.block_for.count() == 0 ? conf::kNever : now + order.block_for;
  admin::MxOrderDone done;
  std::set<const mx::Standing*> reached;  // paths may share one
  sites_.for_each([&](queue::Path* path) {
    if (!is_meant(order, *path)) return;
    ++done.paths;
    if (done.names.size() < kNamesShown)
      done.names.push_back(path->site->label + " from " + path->source.name);
    if (reached.insert(path->standing.get()).second) carry_out(order, path->standing.get(), until, now);
    if (order.action == admin::MxAction::kReset) {
      for (auto& [address, traffic] : path->traffic) traffic->reset();
    }
    dispatcher_.gate().tell_decisions(*path);
    if (order.action != admin::MxAction::kBlock) dispatcher_.poke(path);
  });
  for_each_detached(&sites_, [&](const mx::CounterKey& key, mx::Standing& standing) {
    if (!relay::is_meant(order, key)) return;
    ++done.paths;
    if (done.names.size() < kNamesShown)
      done.names.push_back(view_of(key, standing, now).site + " from " + key.names.source);
    carry_out(order, &standing, until, now);
    counters_.hurry();
  });
  return done;
}

}  // namespace relay
