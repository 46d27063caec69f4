#include "relay/desk/domain_holds.h"

#include <optional>

#include "relay/desk/detached.h"

namespace relay {

namespace {

std::string counters_name(const std::string& rule, const std::string& site, const std::string& source) {
  return rule + '\n' + site + '\n' + source;
}

}  // namespace

bool DomainHolds::look_some(size_t most) {
  const bool more =
      visit_detached(&transit_->sites(), &next_, most,
                     [&](const mx::CounterKey& key, const mx::Standing& standing, bool superseded) {
                       if (superseded || standing.state() != mx::Standing::State::kBlocked) return;
                       detached_[counters_name(key.names.rule, key.names.site, key.names.source)] = {
                           "blocked after refusals", standing.frees_at()};
                     });
  looked_ = !more;
  return more;
}

const Reason& DomainHolds::of(uint32_t domain, uint16_t stream, conf::Instant now) {
  const auto [place, fresh] = found_.try_emplace({domain, stream});
  if (fresh) {
    place->second = find(&transit_->domains().at(domain), stream, now);
    Reason held = held_stream(transit_->sites().streams(), stream, now);
    const bool longest = place->second.text.empty() || held.until > place->second.until;
    if (!held.text.empty() && longest) place->second = std::move(held);
  }
  return place->second;
}

Reason DomainHolds::find(queue::DomainEntry* domain, uint16_t stream, conf::Instant now) {
  if (domain->route == nullptr || domain->route->kind != mx::Route::Kind::kHosts) return {};
  const queue::SiteTable& sites = transit_->sites();
  std::optional<Reason> soonest;
  for (const conf::Source* source : sites.streams().sources_of(stream)) {
    if (!sites.usable(*domain, *source)) continue;
    Reason here = from(domain, *source, now);
    if (here.text.empty()) return {};
    if (!soonest || here.until < soonest->until) soonest = std::move(here);
  }
  return soonest.value_or(Reason());
}

// A connection that must end first is no time to wait for.
Reason DomainHolds::from(queue::DomainEntry* domain, const conf::Source& source, conf::Instant now) {
  queue::SiteTable& sites = transit_->sites();
  (void)sites.rule_for(domain, source);
  queue::Path* path = sites.find(*domain, source);
  // A question makes no path: there may be as many as domains and sources.
  if (path == nullptr) return of_no_path(domain, source, now);
  Reason held = held_back(*path, now);
  if (!held.text.empty()) return held;
  const mx::Admission next = transit_->dispatcher().next_message(path);
  if (next.yes || next.not_before == conf::kNever) return {};
  return {mx::to_text(next.bind), next.not_before};
}

Reason DomainHolds::of_no_path(queue::DomainEntry* domain, const conf::Source& source,
                               conf::Instant now) const {
  const mx::RulePtr rule = transit_->sites().rule_for(domain, source);
  const std::string name = rule == nullptr ? std::string() : rule->name;
  const Reason counted = looked_ ? of_counters(*domain, source, name) : Reason();
  const conf::Instant ordered = ordered_(*domain, source, name);
  if (ordered <= now || (!counted.text.empty() && counted.until > ordered)) return counted;
  return {"blocked by an operator", ordered};
}

// By every name that its counters may have: alone, or together with other sites or other sources.
Reason DomainHolds::of_counters(const queue::DomainEntry& domain, const conf::Source& source,
                                const std::string& rule) const {
  if (detached_.empty()) return {};
  const conf::Config& config = transit_->sites().config();
  const std::string destination =
      domain.destination == 0 ? std::string() : config.destinations[domain.destination - 1].name;
  for (const std::string& site : {domain.route->site + '|' + destination, std::string("*")}) {
    for (const std::string& from : {source.name, std::string("*")}) {
      const auto held = detached_.find(counters_name(rule, site, from));
      if (held != detached_.end()) return held->second;
    }
  }
  return {};
}

}  // namespace relay
