#include "relay/walk/route_finder.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using queue::Delivery;
using queue::DeliveryState;
using queue::DomainEntry;

namespace {

// In choices of a route that is known.
constexpr uint64_t kLookUp = 8, kRefusal = 16;
constexpr conf::Duration kLeastRouteTime = 1s;  // a route is used so long even when its TTL is less

mx::RouterOptions router_options(const RouteFinder::Parts& parts) {
  return {parts.config->hostname, parts.own_addresses, parts.config->dns.ipv6,
          parts.config->dns.allow_private_targets};
}

conf::Duration longest_validity_of(const std::vector<conf::MxRule>& rules) {
  conf::Duration longest{0};
  for (const conf::MxRule& rule : rules) longest = std::max(longest, rule.fields.validity.value);
  return longest;
}

}  // namespace

RouteFinder::RouteFinder(Parts parts)
    : parts_(std::move(parts)),
      longest_of_rules_(longest_validity_of(parts_.config->rules)),
      router_(router_options(parts_), parts_.resolver, parts_.random) {}

void RouteFinder::reload(conf::ConfigPtr config, mx::RuleBookPtr book) {
  parts_.config = std::move(config);
  parts_.book = std::move(book);
  longest_of_rules_ = longest_validity_of(parts_.config->rules);
}

// Of the domain: those of its destination, and the smart hosts of a rule that is sure to decide.
conf::SettingsPtr RouteFinder::settings_of(DomainEntry* domain) const {
  if (domain->settings == nullptr)
    domain->settings = conf::settings_in(parts_.config, domain->name.text(), &domain->destination);
  return domain->settings;
}

RouteFinder::Way RouteFinder::find(Delivery* delivery) {
  DomainEntry& domain = parts_.domains->at(delivery->domain);
  settings_of(&domain);
  if (domain.route == nullptr || domain.route_until <= parts_.clock->now()) {
    wait_for_route(delivery, &domain);
    return {};
  }
  delivery->dns_micros = 0;
  return follow(delivery);
}

RouteFinder::Way RouteFinder::follow(Delivery* delivery) {
  DomainEntry& domain = parts_.domains->at(delivery->domain);
  if (domain.route == nullptr) {  // the configuration changed while it was asked for
    wait_for_route(delivery, &domain);
    return {};
  }
  const auto nowhere = [&](bounce::Stage stage, bounce::Reply reply) {
    work_ += kRefusal;
    Nowhere why;
    why.stage = stage;
    why.reply = std::move(reply);
    why.facts.settings = domain.settings;
    why.facts.delays.queue = std::max(parts_.clock->now() - delivery->due, conf::Duration(0));
    why.facts.delays.dns = conf::Duration(delivery->dns_micros);
    Way way;
    way.nowhere = std::move(why);
    return way;
  };
  const mx::Route& route = *domain.route;
  if (route.kind != mx::Route::Kind::kHosts) {
    return nowhere(
        bounce::Stage::kDns,
        bounce::Reply::make(route.reply_code(), std::string(route.enhanced_status()) + ' ' + route.detail));
  }
  queue::Way choice = parts_.choice->choose(&domain, delivery->stream, delivery->greylisted_from);
  if (choice.detour != nullptr) {
    wait_for_detour(delivery, &domain, std::move(choice.detour));
    return {};
  }
  if (choice.path == nullptr) {
    if (choice.names_fail)
      return nowhere(bounce::Stage::kDns, bounce::Reply::make(451, "4.4.3 " + choice.why_not));
    return nowhere(bounce::Stage::kLocal, bounce::Reply::make(451, "4.4.4 " + choice.why_not));
  }
  Way way;
  way.path = choice.path;
  return way;
}

void RouteFinder::wait_for_route(Delivery* delivery, DomainEntry* domain) {
  delivery->move_to(DeliveryState::kRouting);
  domain->waiting.push_back(delivery);
  if (!domain->routing) begin_route(domain);
}

void RouteFinder::renew(DomainEntry* domain) {
  if (domain->routing || domain->route == nullptr || domain->route_until > parts_.clock->now()) return;
  settings_of(domain);
  domain->renewing = true;
  begin_route(domain);
}

void RouteFinder::begin_route(DomainEntry* domain) {
  work_ += kLookUp;
  domain->routing = true;
  conf::DestinationSettings by = *domain->settings;
  const mx::RulePtr certain =
      parts_.book == nullptr ? nullptr : parts_.book->certain_match(domain->name.text());
  if (certain != nullptr && certain->values.smart_hosts.set)
    by.smart_hosts = certain->values.smart_hosts.value;
  domain->smart_route = !by.smart_hosts.empty();
  const conf::Instant now = parts_.clock->now();
  router_.route(domain->name, by, [this, number = domain->number, now](mx::RoutePtr route) {
    route_found(number, std::move(route), now);
  });
}

void RouteFinder::route_found(uint32_t number, mx::RoutePtr route, conf::Instant asked) {
  DomainEntry& domain = parts_.domains->at(number);
  const bool known = domain.route != nullptr && route->kind != mx::Route::Kind::kDefer;
  if (std::exchange(domain.renewing, false) && known && !mx::is_same_way(*domain.route, *route))
    parts_.moved(domain, route);
  parts_.domains->set_route(&domain, std::move(route));
  domain.rules.clear();
  domain.route_until = parts_.clock->now() + (std::exchange(domain.outdated, false)
                                                  ? kLeastRouteTime
                                                  : std::max(domain.route->ttl, kLeastRouteTime));
  found(&domain, asked);
}

// The rule of the domain's MX hosts sends its mail by way of smart hosts.
void RouteFinder::wait_for_detour(Delivery* delivery, DomainEntry* domain, mx::RulePtr rule) {
  delivery->move_to(DeliveryState::kRouting);
  domain->waiting.push_back(delivery);
  if (domain->routing) return;
  domain->routing = true;
  domain->asked_detour = std::move(rule);
  conf::DestinationSettings by = *domain->settings;
  by.smart_hosts = domain->asked_detour->values.smart_hosts.value;
  const conf::Instant now = parts_.clock->now();
  router_.route(domain->name, by, [this, number = domain->number, now](mx::RoutePtr route) {
    detour_found(number, std::move(route), now);
  });
}

void RouteFinder::detour_found(uint32_t number, mx::RoutePtr route, conf::Instant asked) {
  DomainEntry& domain = parts_.domains->at(number);
  const mx::RulePtr rule = std::exchange(domain.asked_detour, nullptr);
  domain.outdated = false;
  std::erase_if(domain.detours, [&rule](const queue::Detour& detour) { return detour.rule == rule; });
  const conf::Instant until = parts_.clock->now() + std::max(route->ttl, kLeastRouteTime);
  domain.detours.push_back({rule, std::move(route), until});
  found(&domain, asked);
}

void RouteFinder::found(DomainEntry* domain, conf::Instant asked) {
  domain->routing = false;
  settings_of(domain);  // the configuration may have changed meanwhile
  if (domain->route != nullptr) {
    if (on_found) on_found(*domain);
    answer(domain);
  }
  const int64_t took = (parts_.clock->now() - asked).count();
  const auto micros = static_cast<uint32_t>(std::clamp<int64_t>(took, 0, UINT32_MAX));
  found_.push_back({parts_.domains->intern(domain->name), micros});
  ask_again(domain->number);
}

void RouteFinder::go_on(size_t most) {
  while (most > 0 && !found_.empty()) {
    const Found found = found_.front();
    DomainEntry& domain = parts_.domains->at(found.domain);
    if (domain.routing || domain.waiting.empty()) {  // it waits for the next answer, or has gone
      found_.pop_front();
      parts_.domains->release(found.domain);
      continue;
    }
    Delivery* delivery = domain.waiting.pop_front();
    delivery->dns_micros = found.dns_micros;
    const uint64_t before = work_;
    parts_.walk->advance(delivery);
    most -= std::min<uint64_t>(most, 1 + work_ - before);
  }
}

// The configuration changed while the route was asked for, and no mail asks for it any more (it is held, or
// dropped), but somebody else does.
void RouteFinder::ask_again(uint32_t number) {
  if (!is_asked(number)) return;
  DomainEntry& domain = parts_.domains->at(number);
  if (domain.route == nullptr && !domain.routing) begin_route(&domain);
}

void RouteFinder::ask(const conf::Domain& name, Asked then) {
  const uint32_t number = parts_.domains->intern(name);
  questions_.push_back({number, std::move(then)});
  DomainEntry& domain = parts_.domains->at(number);
  settings_of(&domain);
  if (domain.route != nullptr && domain.route_until > parts_.clock->now()) {
    answer(&domain);
  } else if (!domain.routing) {
    begin_route(&domain);
  }
}

bool RouteFinder::is_asked(uint32_t domain) const {
  return std::ranges::any_of(questions_, [domain](const Question& each) { return each.domain == domain; });
}

void RouteFinder::answer(DomainEntry* domain) {
  const auto first =
      std::stable_partition(questions_.begin(), questions_.end(),
                            [domain](const Question& each) { return each.domain != domain->number; });
  const std::vector<Question> mine(std::make_move_iterator(first), std::make_move_iterator(questions_.end()));
  questions_.erase(first, questions_.end());
  for (const Question& each : mine) {
    each.then(domain);
    parts_.domains->release(each.domain);
  }
}

}  // namespace relay
