#include "relay/flow/path_choice.h"

#include <algorithm>
#include <utility>

namespace relay::queue {

namespace {

auto detour_of(const DomainEntry& domain, const mx::RulePtr& rule) {
  return std::find_if(domain.detours.begin(), domain.detours.end(),
                      [&rule](const Detour& detour) { return detour.rule == rule; });
}

}  // namespace

const conf::Source* PathChoice::draw_source(const DomainEntry& domain, const Sources& from) const {
  if (from.size() == 1) return sites_->usable(domain, *from.front()) ? from.front() : nullptr;
  const Site* site = sites_->site_with_sources_off(domain);
  const auto may = [&](const conf::Source& source, bool all) {
    return sites_->usable(domain, source) &&
           (all || site == nullptr || !SiteTable::is_off(*site, source.name, sites_->now()));
  };
  for (const bool all : {false, true}) {  // when all are off, mail waits for one of them
    uint64_t weights = 0;
    for (const conf::Source* source : from) weights += may(*source, all) ? source->weight : 0;
    if (weights == 0) continue;
    uint64_t draw = random_->below(weights);
    for (const conf::Source* source : from) {
      if (!may(*source, all)) continue;
      if (draw < source->weight) return source;
      draw -= source->weight;
    }
  }
  return nullptr;
}

// The way by the smart hosts of the rule is not known (any more).
bool PathChoice::needs_detour(DomainEntry* domain, const mx::RulePtr& rule) const {
  if (rule == nullptr || !rule->values.smart_hosts.set || domain->smart_route) return false;
  const auto detour = detour_of(*domain, rule);
  return detour == domain->detours.end() || detour->until <= sites_->now();
}

std::string PathChoice::why_none(uint16_t stream) const {
  constexpr const char* kWhy =
      " may send to this domain: its masks leave it out, its weight is 0, or none has an address of the "
      "family (IPv4 or IPv6) of the destination's hosts";
  const bool of_stream =
      &sites_->streams().sources_of(stream) != &sites_->streams().sources_of(StreamTable::kNone);
  if (!of_stream) return std::string("no [[source]]") + kWhy;
  return "no source of the stream \"" + sites_->streams().name(stream) + "\"" + kWhy;
}

Way PathChoice::choose(DomainEntry* domain, uint16_t stream) const {
  Way choice;
  const Sources& from = sites_->streams().sources_of(stream);
  const conf::Source* source = draw_source(*domain, from);
  if (source == nullptr) {
    choice.why_not = why_none(stream);
    return choice;
  }
  mx::RulePtr rule = sites_->rule_for(domain, *source);
  if (needs_detour(domain, rule)) {
    choice.detour = std::move(rule);
    return choice;
  }
  if (rule != nullptr && rule->values.smart_hosts.set && !domain->smart_route) {
    const auto detour = detour_of(*domain, rule);
    if (detour->route->kind != mx::Route::Kind::kHosts) {
      choice.why_not = "the smart hosts of rule \"" + rule->name + "\": " + detour->route->detail;
      choice.names_fail = detour->route->kind == mx::Route::Kind::kDefer;
      return choice;
    }
  }
  choice.path = sites_->path_from(domain, *source);
  if (from.size() == 1) return choice;
  if (Path* better = better_than(domain, from, *choice.path); better != nullptr) choice.path = better;
  return choice;
}

// Drawn by weight among those of the best readiness, when that is better than what `path` has. That a source
// was drawn by weight among all first leaves the others the shares that their weights say.
Path* PathChoice::better_than(DomainEntry* domain, const Sources& from, const Path& path) const {
  const conf::Instant now = sites_->now();
  Readiness best = state_of(&path, now).readiness;
  if (best == Readiness::kFree) return nullptr;
  std::vector<const conf::Source*> others;
  uint64_t weights = 0;
  for (const conf::Source* source : from) {
    if (source->name == path.source.name || !sites_->usable(*domain, *source)) continue;
    if (needs_detour(domain, sites_->rule_for(domain, *source))) continue;
    const Readiness readiness = state_of(sites_->find(*domain, *source), now).readiness;
    if (readiness > best || (readiness == best && others.empty())) continue;
    if (readiness < best) others.clear(), weights = 0;
    best = readiness;
    others.push_back(source);
    weights += source->weight;
  }
  if (others.empty()) return nullptr;
  uint64_t draw = random_->below(weights);
  for (const conf::Source* source : others) {
    if (draw < source->weight) return sites_->path_from(domain, *source);
    draw -= source->weight;
  }
  return nullptr;
}

bool PathChoice::goes_sooner_elsewhere(DomainEntry* domain, uint16_t stream, const Path& path) const {
  const conf::Instant now = sites_->now();
  const Readiness here = state_of(&path, now, 1).readiness;  // else it would be drawn back at once, for ever
  if (here == Readiness::kFree) return false;
  return std::ranges::any_of(sites_->streams().sources_of(stream), [&](const conf::Source* source) {
    return source->name != path.source.name && sites_->usable(*domain, *source) &&
           !needs_detour(domain, sites_->rule_for(domain, *source)) &&
           state_of(sites_->find(*domain, *source), now).readiness < here;
  });
}

bool PathChoice::others_may_take(const Path& path) const {
  if (sources().size() == 1) return false;
  const conf::Instant now = sites_->now();
  const Readiness here = state_of(&path, now).readiness;
  if (here == Readiness::kFree) return false;
  return std::any_of(sources().begin(), sources().end(), [&](const conf::Source& source) {
    if (source.name == path.source.name || source.weight == 0) return false;
    bool any = false, sooner = false;
    for (const auto& [name, other] : path.site->paths) {
      if (other->source.name != source.name) continue;
      any = true;
      sooner = sooner || state_of(other.get(), now).readiness < here;
    }
    return sooner || !any;
  });
}

std::vector<PathChoice::Share> PathChoice::shares(DomainEntry* domain, uint16_t stream) const {
  const conf::Instant now = sites_->now();
  const Sources& of_stream = sites_->streams().sources_of(stream);
  std::vector<Share> all;
  Readiness best = Readiness::kHeld;
  for (const conf::Source& source : sources()) {
    Share& share = all.emplace_back();
    share.source = &source;
    if (source.weight == 0) {
      share.unusable = "its weight is 0";
    } else if (std::ranges::find(of_stream, &source) == of_stream.end()) {
      share.unusable = "it is not one of the stream's";
    } else if (!may_send_from(source, domain->name.text())) {
      share.unusable = "its masks leave this domain out";
    } else if (!sites_->usable(*domain, source)) {
      share.unusable = "no host has an address of its family (IPv4 or IPv6)";
    } else {
      sites_->rule_for(domain, source);
      share.state = state_of(sites_->find(*domain, source), now);
      best = std::min(best, share.state.readiness);
    }
  }
  const auto takes = [best](const Share& share) {
    return share.unusable.empty() && share.state.readiness == best;
  };
  double weights = 0;
  for (const Share& share : all) weights += takes(share) ? share.source->weight : 0;
  for (Share& share : all) {
    if (takes(share)) share.share = share.source->weight / weights;
  }
  return all;
}

}  // namespace relay::queue
