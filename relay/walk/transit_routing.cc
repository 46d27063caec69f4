// The Transit's part that finds where a delivery goes: the route of its domain, the rule, the path.
#include <algorithm>
#include <utility>

#include "mx/rules/path_limits.h"
#include "relay/journal/events.h"
#include "relay/spool/message_ids.h"
#include "relay/walk/transit.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using queue::Delivery;
using queue::DeliveryState;

namespace {

constexpr conf::Duration kLeastRouteTime = 1s;  // a route is used so long even when its TTL is less

}  // namespace

// Of the domain: those of its destination, and the smart hosts of a rule that is sure to decide.
conf::SettingsPtr Transit::settings_of(queue::DomainEntry& domain) {
  if (domain.settings == nullptr)
    domain.settings = conf::settings_in(parts_.config, domain.name.text(), &domain.destination);
  return domain.settings;
}

void Transit::find_route(Delivery* delivery) {
  queue::DomainEntry& domain = domains_.at(delivery->domain);
  settings_of(domain);
  if (domain.route != nullptr && domain.route_until > parts_.clock->now()) {
    delivery->dns_micros = 0;
    follow(delivery, domain);
    return;
  }
  look_up(delivery, domain);
}

void Transit::look_up(Delivery* delivery, queue::DomainEntry& domain) {
  delivery->move_to(DeliveryState::kRouting);
  domain.waiting.push_back(delivery);
  if (!domain.routing) begin_route(domain);
}

void Transit::begin_route(queue::DomainEntry& domain) {
  domain.routing = true;
  conf::DestinationSettings by = *domain.settings;
  const mx::RulePtr certain =
      parts_.book == nullptr ? nullptr : parts_.book->certain_match(domain.name.text());
  if (certain != nullptr && certain->values.smart_hosts.set)
    by.smart_hosts = certain->values.smart_hosts.value;
  domain.smart_route = !by.smart_hosts.empty();
  const conf::Instant now = parts_.clock->now();
  router_.route(domain.name, by, [this, number = domain.number, now](mx::RoutePtr route) {
    route_found(number, std::move(route), now);
  });
}

// The mail that waits for a path that fails does not ask for its route again by itself: a route that was
// found while DNS was in trouble, or whose hosts have moved, would keep it there.
void Transit::renew_route(queue::Path* path) {
  const Delivery* delivery = path->ready.oldest();
  if (delivery == nullptr || stopping_) return;
  queue::DomainEntry& domain = domains_.at(delivery->domain);
  if (domain.routing || domain.route == nullptr || domain.route_until > parts_.clock->now()) return;
  settings_of(domain);
  domain.renewing = true;
  begin_route(domain);
}

void Transit::leave_old_way(const queue::DomainEntry& domain, const mx::RoutePtr& found) {
  const bool known = found->kind != mx::Route::Kind::kDefer;
  if (domain.route == nullptr || !known || mx::is_same_way(*domain.route, *found)) return;
  for (const conf::Source& source : parts_.config->sources) {
    queue::Path* path = sites_.find(domain, source);
    if (path == nullptr || path->ready.empty()) continue;
    if (found->site == domain.route->site && found->order == domain.route->order) {
      path->route = found;
      dispatcher_.poke(path);
    } else {
      reroute(path);
    }
  }
}

void Transit::route_found(uint32_t number, mx::RoutePtr route, conf::Instant asked) {
  queue::DomainEntry& domain = domains_.at(number);
  if (std::exchange(domain.renewing, false)) leave_old_way(domain, route);
  domain.route = std::move(route);
  domain.rules.clear();
  domain.route_until = parts_.clock->now() + (std::exchange(domain.outdated, false)
                                                  ? kLeastRouteTime
                                                  : std::max(domain.route->ttl, kLeastRouteTime));
  go_on(domain, asked);
}

// The rule of the domain's MX hosts sends its mail by way of smart hosts.
void Transit::take_detour(Delivery* delivery, queue::DomainEntry& domain, mx::RulePtr rule) {
  delivery->move_to(DeliveryState::kRouting);
  domain.waiting.push_back(delivery);
  if (domain.routing) return;
  domain.routing = true;
  domain.asked_detour = std::move(rule);
  conf::DestinationSettings by = *domain.settings;
  by.smart_hosts = domain.asked_detour->values.smart_hosts.value;
  const conf::Instant now = parts_.clock->now();
  router_.route(domain.name, by, [this, number = domain.number, now](mx::RoutePtr route) {
    detour_found(number, std::move(route), now);
  });
}

void Transit::detour_found(uint32_t number, mx::RoutePtr route, conf::Instant asked) {
  queue::DomainEntry& domain = domains_.at(number);
  const mx::RulePtr rule = std::exchange(domain.asked_detour, nullptr);
  domain.outdated = false;
  std::erase_if(domain.detours, [&rule](const queue::Detour& detour) { return detour.rule == rule; });
  const conf::Instant until = parts_.clock->now() + std::max(route->ttl, kLeastRouteTime);
  domain.detours.push_back({rule, std::move(route), until});
  go_on(domain, asked);
}

void Transit::go_on(queue::DomainEntry& domain, conf::Instant asked) {
  domain.routing = false;
  settings_of(domain);  // the configuration may have changed meanwhile
  const conf::Instant now = parts_.clock->now();
  if (!asked_.empty()) {
    if (domain.route != nullptr) {
      answer_asked(domain);
    } else if (domain.waiting.empty() && is_asked(domain.number)) {
      begin_route(domain);  // no mail asks for it any more, but somebody else does
      return;
    }
  }
  const auto took = static_cast<uint32_t>(std::min<int64_t>((now - asked).count(), UINT32_MAX));
  std::vector<Delivery*> waiting;
  while (Delivery* delivery = domain.waiting.pop_front()) waiting.push_back(delivery);
  for (Delivery* delivery : waiting) {
    delivery->dns_micros = took;
    advance(delivery);
  }
}

void Transit::follow(Delivery* delivery, queue::DomainEntry& domain) {
  if (domain.route == nullptr) {  // the configuration changed while it was asked for
    look_up(delivery, domain);
    return;
  }
  AttemptFacts facts;
  facts.settings = domain.settings;
  facts.delays.queue = std::max(parts_.clock->now() - delivery->due, conf::Duration(0));
  facts.delays.dns = conf::Duration(delivery->dns_micros);
  const mx::Route& route = *domain.route;
  if (route.kind != mx::Route::Kind::kHosts) {
    bounce::Reply reply =
        bounce::Reply::make(route.reply_code(), std::string(route.enhanced_status()) + ' ' + route.detail);
    refuse_locally(delivery, bounce::Stage::kDns, std::move(reply), std::move(facts));
    return;
  }
  queue::SiteTable::Choice choice = sites_.choose(&domain);
  if (choice.detour != nullptr) {
    take_detour(delivery, domain, std::move(choice.detour));
    return;
  }
  if (choice.path == nullptr) {
    refuse_locally(delivery, bounce::Stage::kLocal, bounce::Reply::make(451, "4.4.4 " + choice.why_not),
                   std::move(facts));
    return;
  }
  if (choice.path->standing->state() == mx::Standing::State::kBlocked) say_blocked(delivery, *choice.path);
  dispatcher_.add(delivery, choice.path);
}

// A block defers with type Ignored: no attempt is counted, and nothing is written down but this line.
void Transit::say_blocked(Delivery* delivery, const queue::Path& path) {
  // A reload that leaves it where it was is no news.
  if (delivery->block_told) return;
  delivery->block_told = true;
  const conf::Instant until = path.standing->blocked_until();
  journal::HeldBack by;
  by.site = path.site->label;
  by.source = path.source.name;
  if (path.rule != nullptr) by.mx_rule = path.rule->name;
  by.why = "the destination is blocked; see the block event of this site";
  if (until != conf::kNever) by.until = parts_.clock->wall() + (until - parts_.clock->now());
  say_held_back(*delivery, by);
}

// A path that fails is tried again and again; its mail waits for it and not for a schedule of its own.
void Transit::waits_long(Delivery* delivery, const queue::PathError& error, const AttemptFacts& facts) {
  delivery->block_told = true;
  journal::HeldBack by;
  by.limit = conf::Bind::kBackOff;
  by.site = facts.site;
  by.source = facts.source;
  by.why = "it waits for its path: " + error.reply.text();
  by.until = parts_.clock->wall() + parts_.config->path_backoff_first;
  say_held_back(*delivery, by);
}

void Transit::say_held_back(const Delivery& delivery, const journal::HeldBack& by) {
  const conf::WallTime now = parts_.clock->wall();
  const std::string& domain = domains_.at(delivery.domain).name.text();
  if (delivery.message == nullptr) {
    parts_.journal->append(
        journal::held_back(delivery.id, nullptr, nullptr, domain, by, delivery.attempt, now));
    return;
  }
  const spool::MessageRecord& record = delivery.message->record;
  for (const uint32_t index : recipients_of(delivery)) {
    const spool::RecipientRecord& recipient = record.recipients[index];
    if (recipient.state != spool::RecipientState::kPending) continue;
    parts_.journal->append(
        journal::held_back(delivery.id, &record, &recipient, domain, by, delivery.attempt, now));
  }
}

conf::Instant Transit::expiry(const Delivery& delivery, const conf::DestinationSettings& settings) {
  const conf::WallTime accepted = spool::MessageIds::time_of(delivery.id);  // ids are of this clock too
  return clock_.now() + (accepted + settings.retry.validity - clock_.wall());
}

void Transit::decided(const queue::Path& path, const std::vector<mx::Decision>& decisions) {
  for (const mx::Decision& decision : decisions) {
    auto told = std::make_shared<conf::SiteDecision>();
    told->action = decision.action;
    if (path.rule != nullptr) {
      told->rule = path.rule->name;
      const int line = decision.line != 0 ? decision.line : path.rule->line;
      told->where = path.rule->file + ':' + std::to_string(line);
    }
    told->by = decision.by;
    told->site = path.site->label;
    told->source = path.source.name;
    told->messages = decision.messages;
    told->errors = decision.errors;
    told->share = decision.messages == 0
                      ? 0
                      : static_cast<double>(decision.errors) / static_cast<double>(decision.messages);
    if (decision.until != conf::Instant{} && decision.until != conf::kNever)
      told->until = parts_.clock->wall() + (decision.until - parts_.clock->now());
    told->rate_per_hour = decision.rate_per_hour;
    told->samples = decision.samples;
    told->text = decision.text;
    const conf::DeliveryEvent event = journal::decided(std::move(told), parts_.clock->wall());
    decisions_.add(event);
    parts_.journal->append(event);
    using Action = mx::Decision::Action;
    if (decision.action == Action::kBlock || decision.action == Action::kUnblock ||
        decision.action == Action::kReset)
      counters_.hurry();
  }
}

}  // namespace relay
