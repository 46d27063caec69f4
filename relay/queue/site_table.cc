#include "relay/queue/site_table.h"

#include <algorithm>

namespace relay::queue {

bool may_send_from(const conf::Source& source, std::string_view domain) {
  const auto matches = [domain](const std::string& mask) { return conf::domain_matches(mask, domain); };
  if (!source.include_domains.empty() && std::ranges::none_of(source.include_domains, matches)) return false;
  return std::ranges::none_of(source.exclude_domains, matches);
}

bool same_family(const std::string& source_address, std::string_view address) {
  if (source_address.empty()) return true;
  const bool source_is_v6 = source_address.find(':') != std::string::npos;
  return source_is_v6 == (address.find(':') != std::string_view::npos);
}

const conf::Source* SiteTable::draw_source(const DomainEntry& domain) {
  const auto usable = [&domain](const conf::Source& source) {
    if (source.weight == 0 || !may_send_from(source, domain.name.text())) return false;
    return std::ranges::any_of(domain.route->hosts, [&source](const mx::RouteHost& host) {
      return std::ranges::any_of(host.addresses,
                                 [&source](const std::string& a) { return same_family(source.address, a); });
    });
  };
  uint64_t weights = 0;
  for (const conf::Source& source : config_->sources) weights += usable(source) ? source.weight : 0;
  uint64_t draw = random_->below(weights);
  for (const conf::Source& source : config_->sources) {
    if (!usable(source)) continue;
    if (draw < source.weight) return &source;
    draw -= source.weight;
  }
  return nullptr;
}

Site* SiteTable::site_for(const DomainEntry& domain) {
  const std::string& destination =
      domain.destination == 0 ? std::string() : config_->destinations[domain.destination - 1].name;
  std::string key = domain.route->site + '|' + destination;
  std::unique_ptr<Site>& slot = sites_[key];
  if (slot == nullptr) {
    slot = std::make_unique<Site>();
    slot->key = std::move(key);
    slot->label = domain.route->site;
    slot->destination = destination;
    slot->config = config_;
    slot->settings = domain.settings;
  }
  slot->route = domain.route;
  return slot.get();
}

Path* SiteTable::path_for(const DomainEntry& domain, std::string* why) {
  const conf::Source* source = draw_source(domain);
  if (source == nullptr) {
    *why =
        "no [[source]] may send to this domain: its masks leave it out, or no source has an address of the "
        "family "
        "(IPv4 or IPv6) of the destination's hosts";
    return nullptr;
  }
  Site* site = site_for(domain);
  std::unique_ptr<Path>& slot = site->paths[source->name];
  if (slot == nullptr) {
    slot = std::make_unique<Path>();
    slot->site = site;
    slot->source = *source;
  }
  return slot.get();
}

void SiteTable::reload(conf::ConfigPtr config) {
  config_ = std::move(config);
  for (const auto& [key, site] : sites_) {
    const conf::DestinationSettings* settings = site->destination.empty() ? &config_->defaults : nullptr;
    for (const conf::Destination& destination : config_->destinations) {
      if (destination.name == site->destination) settings = &destination.settings;
    }
    if (settings == nullptr) continue;
    site->config = config_;
    site->settings = settings;
    for (const auto& [name, path] : site->paths) {
      for (const conf::Source& source : config_->sources) {
        if (source.name == name) path->source = source;
      }
    }
  }
}

void SiteTable::sweep(conf::Instant now) {
  std::erase_if(sites_, [now](const auto& entry) {
    Site& site = *entry.second;
    std::erase_if(site.failing_hosts, [now](const auto& host) { return host.second <= now; });
    return std::ranges::all_of(site.paths, [now](const auto& named) {
      const Path& path = *named.second;
      return path.ready.empty() && path.connections == 0 && path.backoff_until <= now && !path.dirty &&
             !path.starved && path.wake == conf::kNever;
    });
  });
}

void SiteTable::for_each(const std::function<void(Path*)>& use) const {
  for (const auto& [key, site] : sites_) {
    for (const auto& [name, path] : site->paths) use(path.get());
  }
}

}  // namespace relay::queue
