#include "relay/flow/site_table.h"

#include <algorithm>
#include <span>

#include "relay/flow/site_key.h"

namespace relay::queue {

namespace {
constexpr size_t kReloadedPerStep = 256;  // some 3 us each: its limits, its counters
constexpr size_t kSupersededPerSweep = 1024;

std::span<const mx::RouteHost> hosts_of(const Path& path) {
  if (path.route == nullptr) return {};
  return path.route->hosts;
}

}  // namespace

bool SiteTable::usable(const DomainEntry& domain, const conf::Source& source) const {
  return source.weight != 0 && reaches(source, families_of(*domain.route)) &&
         may_send_from(source, domain.name.text());
}

void SiteTable::switch_off(Path* path, conf::Instant until, std::string by) {
  conf::Instant& off = path->site->sources_off[path->source.name];
  off = std::max(off, until);
  path->holds.pause_until(until, std::move(by));
  off_until_ = std::max(off_until_, until);
}

bool SiteTable::is_off(const Site& site, const std::string& source, conf::Instant now) {
  const auto off = site.sources_off.find(source);
  return off != site.sources_off.end() && off->second > now;
}

const Site* SiteTable::site_with_sources_off(const DomainEntry& domain) const {
  if (off_until_ <= clock_->now()) return nullptr;
  const std::string key = site_key(domain, *domain.route);
  const Part& part = part_of(key);
  const auto found = part.find(key);
  return found == part.end() || found->second->sources_off.empty() ? nullptr : found->second.get();
}

bool SiteTable::leads_here(const DomainEntry& domain, Path* path) const {
  if (!domain.detours.empty()) {
    const mx::RulePtr rule = rule_now(domain, path->source);
    const auto detour = std::ranges::find(domain.detours, rule, &Detour::rule);
    // That no name server answers says nothing of where the mail belongs.
    if (detour != domain.detours.end() && detour->route->kind == mx::Route::Kind::kDefer) return true;
    return find(domain, path->source) == path;
  }
  const mx::Route& route = *domain.route;
  const std::string_view destination =
      domain.destination == 0 ? std::string_view() : config_->destinations[domain.destination - 1].name;
  if (route.site != path->site->label || destination != path->site->destination) return false;
  if (route.order != path->route->order) return false;
  path->route = domain.route;
  return true;
}

std::string SiteTable::site_key(const DomainEntry& domain, const mx::Route& route) const {
  return queue::site_key(route.site, domain.destination == 0
                                         ? std::string_view()
                                         : config_->destinations[domain.destination - 1].name);
}

Site* SiteTable::site_for(const DomainEntry& domain, const mx::RoutePtr& route,
                          const conf::SettingsPtr& settings) {
  std::string key = site_key(domain, *route);
  std::unique_ptr<Site>& slot = part_of(key)[key];
  if (slot == nullptr) {
    slot = std::make_unique<Site>();
    slot->label = route->site;
    if (domain.destination != 0) slot->destination = config_->destinations[domain.destination - 1].name;
    slot->key = std::move(key);
    slot->settings = settings;
  }
  return slot.get();
}

namespace {

std::string path_key(const conf::Source& source, const mx::RulePtr& rule, const mx::Route& route) {
  return source.name + '\n' + (rule == nullptr ? std::string() : rule->name) + '\n' + route.order;
}

}  // namespace

Path* SiteTable::path_from(DomainEntry* domain, const conf::Source& source) {
  mx::RulePtr rule = rule_for(domain, source);
  mx::RoutePtr route = domain->route;
  const auto detour = std::ranges::find(domain->detours, rule, &Detour::rule);
  if (detour != domain->detours.end() && detour->route->kind == mx::Route::Kind::kHosts)
    route = detour->route;
  Site* site = site_for(*domain, route, domain->settings);
  std::unique_ptr<Path>& slot = site->paths[path_key(source, rule, *route)];
  if (slot == nullptr) {
    slot = std::make_unique<Path>();
    slot->site = site;
    slot->source = source;
    slot->route = route;
    slot->rules = rules_;
    apply_rule(slot.get(), std::move(rule));
    if (on_path) on_path(slot.get());
  }
  slot->route = std::move(route);
  return slot.get();
}

Path* SiteTable::find(const DomainEntry& domain, const conf::Source& source) const {
  if (domain.route == nullptr) return nullptr;
  const mx::RulePtr rule = rule_now(domain, source);
  const auto detour = std::ranges::find(domain.detours, rule, &Detour::rule);
  const mx::RoutePtr& route = detour == domain.detours.end() ? domain.route : detour->route;
  const std::string key = site_key(domain, *route);
  const Part& part = part_of(key);
  const auto site = part.find(key);
  if (site == part.end()) return nullptr;
  const auto path = site->second->paths.find(path_key(source, rule, *route));
  return path == site->second->paths.end() ? nullptr : path->second.get();
}

// With the counters that its rule and limits name by now. Connections that are open hold those that they were
// opened with, and end.
void SiteTable::count_anew(Path* path) {
  const mx::Moment moment{clock_->now(), clock_->wall()};
  mx::Whereabouts where = whereabouts(*path, path->site->key);
  auto standing = limiters_.standing(names_of(*path), *path->limits, moment, &where);
  bool other = standing != path->counters.standing;
  path->counters.standing = std::move(standing);
  const bool by_address = path->limits->scope == conf::RuleScope::kPath;
  other |= std::erase_if(path->counters.traffic,
                         [by_address](const auto& entry) { return entry.first.empty() == by_address; }) > 0;
  const auto take = [&other](std::shared_ptr<mx::Traffic>* counters, std::shared_ptr<mx::Traffic> fresh) {
    if (fresh == *counters) return;
    *counters = noted(std::move(fresh));
    other = true;
  };
  for (auto& [address, traffic] : path->counters.traffic) take(&traffic, counters_for(*path, address));
  // What many sites share is asked for at once: it may have to be gathered before anything goes.
  if (path->limits->one_site && !by_address) (void)traffic(path, {});
  for (const mx::RouteHost& host : hosts_of(*path))
    if (counts_with_many(*path, host.name)) (void)host_traffic(path, host.addresses.front());
  if (by_address || path->limits->one_site) path->counters.hosts.clear();
  for (auto& [host, traffic] : path->counters.hosts) take(&traffic, counters_of_host(*path, host));
  path->counters.version += other ? 1 : 0;
}

mx::Whereabouts SiteTable::whereabouts(const Path& path, const std::string& site) const {
  mx::Whereabouts where;
  where.site = site;
  where.sources = {path.source.name};
  if (path.limits->scope == conf::RuleScope::kPool) {
    for (const conf::Source& source : config_->sources)
      if (source.name != path.source.name) where.sources.push_back(source.name);
  }
  return where;
}

std::shared_ptr<mx::Traffic> SiteTable::counters_for(const Path& path, const std::string& address) {
  const mx::Moment moment{clock_->now(), clock_->wall()};
  mx::Whereabouts where = whereabouts(path, path.site->key);
  for (const mx::RouteHost& host : hosts_of(path)) {
    const auto& all = host.addresses;
    if (!address.empty() && std::find(all.begin(), all.end(), address) == all.end()) continue;
    if (address.empty()) where.addresses.insert(where.addresses.end(), all.begin(), all.end());
    // What this site and others sent to the host of the address.
    if (!address.empty()) where.site = mx::host_names({}, host.counted_as()).site;
  }
  if (!address.empty()) where.addresses = {address};
  return limiters_.traffic(names_of(path), address.empty() ? "*" : address, *path.limits, moment, &where);
}

// A host that the rule is about is counted with all that the rule counts together, whatever else the site
// has. How the receiver judges us stays the site's own: its other hosts may be anybody's.
std::shared_ptr<mx::Traffic> SiteTable::counters_of_host(const Path& path, const std::string& host) {
  mx::PathLimits limits = *path.limits;
  limits.one_site = counts_with_many(path, host);
  const mx::CounterNames names = mx::host_names(names_of(path), host);
  mx::Whereabouts where = whereabouts(path, names.site);
  for (const mx::RouteHost& each : hosts_of(path))
    if (each.counted_as() == host)
      where.addresses.insert(where.addresses.end(), each.addresses.begin(), each.addresses.end());
  auto made = limiters_.traffic(names, "*", limits, {clock_->now(), clock_->wall()}, &where);
  if (limits.one_site) made->share_with_parts();
  return made;
}

// The table holds them, and `counters` does: whoever else does is another path.
std::shared_ptr<mx::Traffic> SiteTable::noted(std::shared_ptr<mx::Traffic> counters) {
  if (counters.use_count() > 2) counters->share();
  return counters;
}

mx::CounterNames SiteTable::names_of(const Path& path) const {
  return {path.rule == nullptr ? std::string() : path.rule->name, path.site->key, path.source.name};
}

// All that a one_site rule covers is in its one counter, and an address is counted by itself.
bool SiteTable::counts_hosts(const Path& path) {
  if (path.limits->scope == conf::RuleScope::kPath || path.limits->one_site) return false;
  return path.route != nullptr && (path.route->hosts.size() > 1 || !path.site->destination.empty());
}

std::shared_ptr<mx::Traffic> SiteTable::host_traffic(Path* path, std::string_view address) {
  if (address.empty() || !counts_hosts(*path)) return nullptr;
  std::string name;  // of two with one address always the same: one that is counted with many, if any is
  for (const mx::RouteHost& host : path->route->hosts) {
    if (std::find(host.addresses.begin(), host.addresses.end(), address) == host.addresses.end()) continue;
    std::string here = host.counted_as();
    const bool many = counts_with_many(*path, here), before = !name.empty() && counts_with_many(*path, name);
    if (name.empty() || (many == before ? here < name : many)) name = std::move(here);
  }
  if (name.empty()) return nullptr;
  const auto found = path->counters.hosts.find(name);
  if (found != path->counters.hosts.end()) return found->second;
  std::shared_ptr<mx::Traffic> made = noted(counters_of_host(*path, name));
  path->counters.hosts.emplace(std::move(name), made);
  return made;
}

const std::shared_ptr<mx::Traffic>& SiteTable::traffic(Path* path, std::string_view address) {
  if (path->limits->scope != conf::RuleScope::kPath) address = {};
  const auto found = path->counters.traffic.find(address);
  if (found != path->counters.traffic.end()) return found->second;
  return path->counters.traffic.emplace(address, noted(counters_for(*path, std::string(address))))
      .first->second;
}

void SiteTable::reload(conf::ConfigPtr config, mx::RuleBookPtr book) {
  config_ = std::move(config);
  book_ = std::move(book);
  streams_.reload(config_);
  rules_ += tell_rules() ? 1 : 0;
  reload_part_ = 0;
}

bool SiteTable::reload_some(const std::function<void(Path*)>& use) {
  size_t paths = 0;
  for (; paths < kReloadedPerStep && reload_part_ < parts_.size(); ++reload_part_) {
    for (const auto& [key, site] : parts_[reload_part_]) {
      reload(site.get());
      paths += site->paths.size();
      for (const auto& [name, path] : site->paths) {
        if (path->rules != rules_ && !path->ready.empty()) path->rounds.reroute.hold_mail();
        path->counters.version += path->rules != rules_ ? 1 : 0;
        path->rules = rules_;
        if (!path->ready.empty() || !path->connections.idle().empty()) use(path.get());
      }
    }
  }
  return reload_part_ < parts_.size();
}

void SiteTable::reload(Site* site) {
  const conf::DestinationSettings* settings = site->destination.empty() ? &config_->defaults : nullptr;
  for (const conf::Destination& destination : config_->destinations) {
    if (destination.name == site->destination) settings = &destination.settings;
  }
  if (settings != nullptr) site->settings = {config_, settings};
  for (const auto& [name, path] : site->paths) {
    if (const conf::Source* source = streams_.source_named(path->source.name); source != nullptr) {
      path->source = *source;
    } else {
      path->source.weight = 0;  // it takes no more mail
    }
    // A rule that is gone holds on for what is still open under it.
    const bool gone =
        path->rule != nullptr && (book_ == nullptr || book_->named(path->rule->name) == nullptr);
    if (!gone) apply_rule(path.get(), path->rule == nullptr ? nullptr : book_->named(path->rule->name));
    path->superseded = gone || !decides(*path);
    if (on_path) on_path(path.get());
  }
  if (!forget_superseded(site)) superseded_.push_back(site->key);
}

// Their counters stay in the table, and whoever decides by now takes them over.
bool SiteTable::forget_superseded(Site* site) {
  const conf::Instant now = clock_->now();
  bool all = true;
  std::erase_if(site->paths, [now, &all](const auto& named) {
    if (!named.second->superseded) return false;
    const bool needed = named.second->is_needed(now);
    all = all && !needed;
    return !needed;
  });
  return all;
}

void SiteTable::forget_some_superseded() {
  for (size_t left = std::min(superseded_.size(), kSupersededPerSweep); left > 0; --left) {
    std::string key = std::move(superseded_.front());
    superseded_.pop_front();
    Part& part = part_of(key);
    const auto site = part.find(key);
    if (site != part.end() && !forget_superseded(site->second.get())) superseded_.push_back(std::move(key));
  }
}

void SiteTable::sweep(conf::Instant now) {
  forget_some_superseded();
  std::erase_if(parts_[next_part_], [now](const auto& entry) {
    Site& site = *entry.second;
    const auto over = [now](const auto& each) { return each.second <= now; };
    std::erase_if(site.failing_hosts, over);
    std::erase_if(site.left_hosts, over);
    std::erase_if(site.sources_off, over);
    std::erase_if(site.slow_hosts,
                  [now](const auto& each) {  // as long again it is remembered how slow it was
                    return each.second.until + each.second.pause <= now;
                  });
    if (!site.sources_off.empty() || !site.slow_hosts.empty()) return false;
    return std::ranges::none_of(site.paths,
                                [now](const auto& named) { return named.second->is_needed(now); });
  });
  next_part_ = (next_part_ + 1) % parts_.size();
  limiters_.sweep({now, clock_->wall()});
}

bool SiteTable::visit_some(size_t* part, size_t paths, const std::function<void(Path*)>& use) const {
  for (size_t seen = 0; seen < paths && *part < parts_.size(); ++*part) {
    for (const auto& [key, site] : parts_[*part]) {
      for (const auto& [name, path] : site->paths) use(path.get());
      seen += site->paths.size();
    }
  }
  return *part < parts_.size();
}

void SiteTable::for_each(const std::function<void(Path*)>& use) const {
  for (const Part& part : parts_) {
    for (const auto& [key, site] : part) {
      for (const auto& [name, path] : site->paths) use(path.get());
    }
  }
}

}  // namespace relay::queue
