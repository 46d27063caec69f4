// What the Transit tells about the limits of its paths, and the orders of operators about them.
#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "conf/vocab/address.h"
#include "relay/limit_text.h"
#include "relay/transit.h"

namespace relay {

namespace {

constexpr size_t kDecisionsShown = 10;
constexpr size_t kNamesShown = 50;

double seconds(conf::Duration duration) { return std::chrono::duration<double>(duration).count(); }

// How long until then; below 0: nobody knows.
double seconds_until(conf::Instant until, conf::Instant now) {
  return until == conf::kNever ? -1 : std::max(0.0, seconds(until - now));
}

std::vector<admin::TrafficView> traffic_of(const queue::Path& path, conf::Instant now) {
  std::vector<admin::TrafficView> views;
  for (const auto& [address, traffic] : path.traffic) {
    admin::TrafficView view;
    view.address = address.empty() ? "*" : address;
    view.connections = traffic->connections();
    view.window = traffic->window();
    view.used_in_hour = traffic->used_in_hour(now);
    view.used_in_slice = traffic->used_in_slice(now);
    view.slice_limit = traffic->slice_limit(now);
    if (traffic->slowed_until() > now) view.slowed_seconds = seconds(traffic->slowed_until() - now);
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<admin::ThresholdView> thresholds_of(const queue::Path& path, conf::Instant now) {
  std::vector<admin::ThresholdView> views;
  for (const mx::Standing::Sample& sample : path.standing->samples(now)) {
    admin::ThresholdView view;
    view.error_rate = sample.threshold.error_rate_ppm / 1e6;
    view.min_messages = sample.threshold.min_messages;
    view.window_seconds = seconds(sample.threshold.window);
    view.block_seconds = seconds(sample.threshold.block);
    view.messages = sample.messages;
    view.errors = sample.errors;
    if (path.rule != nullptr) {
      view.where = path.rule->values.thresholds.origin.file + ':' +
                   std::to_string(sample.threshold.line != 0 ? sample.threshold.line
                                                             : path.rule->values.thresholds.origin.line);
    }
    views.push_back(std::move(view));
  }
  return views;
}

bool is_of_interest(const queue::Path& path, conf::Instant now) {
  return !path.ready.empty() || path.connections > 0 || path.backoff_until > now ||
         path.standing->state() != mx::Standing::State::kOpen ||
         std::ranges::any_of(path.traffic,
                             [now](const auto& entry) { return entry.second->slowed_until() > now; });
}

bool site_matches(const std::string& mask, const queue::Site& site) {
  if (conf::domain_matches(mask, site.label)) return true;
  return site.route != nullptr && std::ranges::any_of(site.route->hosts, [&mask](const mx::RouteHost& host) {
           return conf::domain_matches(mask, host.name);
         });
}

}  // namespace

void Transit::remember(const conf::DeliveryEvent& event) {
  decisions_.push_front({event.time, event.decision});
  if (decisions_.size() > kDecisionsKept) decisions_.pop_back();
}

admin::PathView Transit::view_of(queue::Path* path, uint64_t in_flight) {
  const conf::Instant now = parts_.clock->now();
  admin::PathView view;
  view.site = path->site->label;
  view.source = path->source.name;
  view.source_id = path->source.id;
  if (path->rule != nullptr) {
    view.rule = path->rule->name;
    view.rule_where = path->rule->file + ':' + std::to_string(path->rule->line);
  }
  view.scope = scope_text(path->limits->scope);
  view.one_site = path->limits->one_site;
  view.limits = limit_views(path->rule.get(), *path->limits, *path->settings);
  view.traffic = traffic_of(*path, now);
  view.thresholds = thresholds_of(*path, now);
  view.adaptive = adaptive_text(path->limits->adaptive);
  view.learned_per_hour = path->standing->learned_per_hour();
  const mx::Standing::Ladder ladder = path->standing->ladder(now);
  view.ladder_per_day = ladder.per_day;
  view.ladder_step = ladder.step;
  view.ladder_used = ladder.used;
  view.ready = path->ready.size();
  view.in_flight = in_flight;
  view.connections = path->connections;
  const mx::Admission admission = dispatcher_.gate().may_open_any(path, now);
  view.state = mx::to_text(path->standing->state());
  if (path->standing->state() == mx::Standing::State::kBlocked)
    view.blocked_seconds = seconds_until(path->standing->blocked_until(), now);
  if (!admission.yes) {
    view.binds = mx::to_text(admission.bind);
    view.frees_seconds = seconds_until(admission.not_before, now);
  }
  if (path->last_error.present()) view.last_error = path->last_error.reply.text();
  view.replies = path->standing->replies();
  for (const admin::DecisionView& each : decisions_) {
    if (each.decision->site != view.site || each.decision->source != view.source) continue;
    view.decisions.push_back(each);
    if (view.decisions.size() == kDecisionsShown) break;
  }
  return view;
}

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
    views.push_back(view_of(path, count == in_flight.end() ? 0 : count->second));
  }
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

void Transit::answer_asked(queue::DomainEntry& domain) {
  std::vector<Asked> mine;
  for (size_t i = asked_.size(); i-- > 0;) {
    if (asked_[i].domain != domain.number) continue;
    mine.push_back(std::move(asked_[i]));
    asked_.erase(asked_.begin() + static_cast<ptrdiff_t>(i));
  }
  for (Asked& each : mine) {
    each.done(explanation_of(&domain, each.source));
    domains_.release(each.domain);
  }
}

admin::Explanation Transit::explanation_of(queue::DomainEntry* domain, const std::string& source) {
  admin::Explanation answer;
  answer.route.domain = domain->name.text();
  answer.route.detail = domain->route->detail;
  answer.route.site = domain->route->site;
  answer.route.by = domain->smart_route ? "smart hosts" : "MX";
  answer.route.ttl_seconds = std::max(0.0, seconds(domain->route_until - parts_.clock->now()));
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
    answer.paths.push_back(view_of(path, count == in_flight.end() ? 0 : count->second));
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
    if (reached.insert(path->standing.get()).second) {
      if (order.action == admin::MxAction::kBlock) {
        path->standing->block(until, order.why, now);
      } else if (order.action == admin::MxAction::kUnblock) {
        path->standing->unblock(now);
      } else {
        path->standing->reset(now);
      }
    }
    if (order.action == admin::MxAction::kReset) {
      for (auto& [address, traffic] : path->traffic) traffic->reset();
    }
    dispatcher_.gate().tell_decisions(*path);
    if (order.action != admin::MxAction::kBlock) dispatcher_.poke(path);
  });
  return done;
}

}  // namespace relay
