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

// Null: it may not send there any more.
const conf::Source* PathChoice::kept_source(const DomainEntry& domain, uint16_t stream, uint16_t kept) const {
  const conf::Source* source = sites_->streams().source_numbered(kept);
  const bool may =
      source != nullptr && sites_->usable(domain, *source) && sites_->streams().has_source(stream, source);
  return may ? source : nullptr;
}

const conf::Source* PathChoice::draw_source(const DomainEntry& domain, uint16_t stream) const {
  const SourcePool& pool = sites_->streams().pool_of(stream);
  const Families there = families_of(*domain.route);
  const conf::Source* drawn = pool.draw(domain.name.text(), there, random_);
  const Site* site = drawn == nullptr ? nullptr : sites_->site_with_sources_off(domain);
  if (site == nullptr) return drawn;
  const auto is_off = [&](const conf::Source& source) {
    return SiteTable::is_off(*site, source.name, sites_->now());
  };
  for (size_t draws = 1; draws < kLooks && is_off(*drawn); ++draws)
    drawn = pool.draw(domain.name.text(), there, random_);
  if (!is_off(*drawn)) return drawn;
  Sources on;  // nearly all are off, or all: then mail waits for one of them
  for (const conf::Source* source : sites_->streams().sources_of(stream)) {
    if (sites_->usable(domain, *source) && !is_off(*source)) on.push_back(source);
  }
  return on.empty() ? drawn : SourcePool(on).draw(domain.name.text(), there, random_);
}

bool PathChoice::goes_by_smart_hosts(const DomainEntry& domain, const mx::RulePtr& rule) {
  return rule != nullptr && rule->values.smart_hosts.set && !domain.smart_route;
}

// The way by the smart hosts of the rule is not known (any more).
bool PathChoice::needs_detour(const DomainEntry& domain, const mx::RulePtr& rule) const {
  if (!goes_by_smart_hosts(domain, rule)) return false;
  const auto detour = detour_of(domain, rule);
  return detour == domain.detours.end() || detour->until <= sites_->now();
}

// Where mail from the source would go is known: by the route of the domain, or by smart hosts that were
// found.
bool PathChoice::knows_way(DomainEntry* domain, const conf::Source& source) const {
  const mx::RulePtr rule = sites_->rule_for(domain, source);
  if (!goes_by_smart_hosts(*domain, rule)) return true;
  return !needs_detour(*domain, rule) && detour_of(*domain, rule)->route->kind == mx::Route::Kind::kHosts;
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

Way PathChoice::choose(DomainEntry* domain, uint16_t stream, uint16_t kept) const {
  Way choice;
  const conf::Source* source = kept_source(*domain, stream, kept);
  if (source == nullptr) source = draw_source(*domain, stream);
  if (source == nullptr) {
    choice.names_fail = domain->route->partial;
    choice.why_not = choice.names_fail ? domain->route->detail : why_none(stream);
    return choice;
  }
  mx::RulePtr rule = sites_->rule_for(domain, *source);
  if (needs_detour(*domain, rule)) {
    choice.detour = std::move(rule);
    return choice;
  }
  if (goes_by_smart_hosts(*domain, rule)) {
    const auto detour = detour_of(*domain, rule);
    if (detour->route->kind != mx::Route::Kind::kHosts) {
      choice.why_not = "the smart hosts of rule \"" + rule->name + "\": " + detour->route->detail;
      choice.names_fail = detour->route->kind == mx::Route::Kind::kDefer;
      return choice;
    }
  }
  choice.path = sites_->path_from(domain, *source);
  if (Path* better = better_than(domain, stream, *choice.path); better != nullptr) choice.path = better;
  return choice;
}

// The sources of the stream but `but`, of many only some, drawn by weight: RouteWatch finds what was missed.
PathChoice::Sources PathChoice::some_others(DomainEntry* domain, uint16_t stream,
                                            const std::string& but) const {
  const Sources& all = sites_->streams().sources_of(stream);
  Sources some;
  if (all.size() == 1) return some;
  const auto may = [&](const conf::Source* source) {
    return source->name != but && knows_way(domain, *source);
  };
  if (all.size() <= kLooks) {
    for (const conf::Source* source : all) {
      if (sites_->usable(*domain, *source) && may(source)) some.push_back(source);
    }
    return some;
  }
  const SourcePool& pool = sites_->streams().pool_of(stream);
  const Families there = families_of(*domain->route);
  for (size_t draws = 0; draws < kLooks; ++draws) {
    const conf::Source* source = pool.draw(domain->name.text(), there, random_);
    if (source != nullptr && std::ranges::find(some, source) == some.end() && may(source))
      some.push_back(source);
  }
  return some;
}

// A block that is over becomes probing by being asked, and probes are judged.
SourceState PathChoice::tell(const Path* path, SourceState state) const {
  if (path != nullptr && path->counters.standing->has_decisions() && on_decided) on_decided(*path);
  return state;
}

SourceState PathChoice::ask(const Path* path, conf::Instant now, size_t but) const {
  return tell(path, state_of(path, now, but));
}

// From another source than that of `here`. A path that is not there yet or was not asked yet knows nothing of
// what the sources of a pool used up together.
SourceState PathChoice::state_from(DomainEntry* domain, const conf::Source& source, const Path& here,
                                   conf::Instant now, size_t but) const {
  const Path* there = sites_->find(*domain, source);
  const bool together = here.limits->scope == conf::RuleScope::kPool &&
                        (there != nullptr ? there->counters.standing == here.counters.standing
                                          : sites_->rule_for(domain, source) == here.rule);
  return together ? tell(&here, state_beside(there, here, now, but)) : ask(there, now);
}

// Drawn by weight among those of the best readiness, when that is better than what `path` has. That a source
// was drawn by weight among all first leaves the others the shares that their weights say.
Path* PathChoice::better_than(DomainEntry* domain, uint16_t stream, const Path& path) const {
  const conf::Instant now = sites_->now();
  Readiness best = ask(&path, now).readiness;
  if (best == Readiness::kFree) return nullptr;
  Sources others;
  for (const conf::Source* source : some_others(domain, stream, path.source.name)) {
    const Readiness readiness = state_from(domain, *source, path, now, 0).readiness;
    if (readiness > best || (readiness == best && others.empty())) continue;
    if (readiness < best) others.clear();
    best = readiness;
    others.push_back(source);
  }
  if (others.empty()) return nullptr;
  // What was drawn from many was drawn by weight.
  const bool drawn = sites_->streams().sources_of(stream).size() > kLooks;
  const conf::Source* taken =
      drawn ? others.front()
            : SourcePool(others).draw(domain->name.text(), families_of(*domain->route), random_);
  return taken == nullptr ? nullptr : sites_->path_from(domain, *taken);
}

bool PathChoice::goes_sooner_elsewhere(DomainEntry* domain, uint16_t stream, const Path& path) const {
  const conf::Instant now = sites_->now();
  const Readiness here = ask(&path, now, 1).readiness;  // else it would be drawn back at once, for ever
  if (here == Readiness::kFree) return false;
  return std::ranges::any_of(some_others(domain, stream, path.source.name), [&](const conf::Source* source) {
    return state_from(domain, *source, path, now, 1).readiness < here;
  });
}

PathChoice::Outlook PathChoice::outlook_of(const Site& site) const {
  const conf::Instant now = sites_->now();
  Outlook outlook;
  size_t used = 0;
  const std::string* last = nullptr;
  for (const auto& [name, path] : site.paths) {  // those of one source stand together
    const conf::Source& source = path->source;
    if (source.weight == 0) continue;
    if (last == nullptr || *last != source.name) ++used;
    last = &source.name;
    const Readiness readiness = ask(path.get(), now).readiness;
    if (outlook.best_source == nullptr || readiness < outlook.best) {
      if (outlook.best_source != nullptr && *outlook.best_source != source.name)
        outlook.other_best = outlook.best;
      outlook.best = readiness;
      outlook.best_source = &source.name;
    } else if (*outlook.best_source != source.name) {
      outlook.other_best = std::min(outlook.other_best, readiness);
    }
  }
  if (used < sites_->streams().pool_of(StreamTable::kNone).sending())
    outlook.best = outlook.other_best = Readiness::kFree;
  return outlook;
}

bool PathChoice::others_may_take(const Path& path, const Outlook& outlook) const {
  const Readiness here = ask(&path, sites_->now()).readiness;
  const bool best_is_ours = outlook.best_source != nullptr && *outlook.best_source == path.source.name;
  return (best_is_ours ? outlook.other_best : outlook.best) < here;
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
      share.state = ask(sites_->find(*domain, source), now);
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
