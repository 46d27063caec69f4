#include "relay/desk/known_way.h"

#include <vector>

namespace relay {

KnownWay known_way(Transit* transit, const queue::DomainEntry& domain) {
  KnownWay way;
  std::vector<std::string> hosts;
  if (domain.route != nullptr && !domain.route->site.empty()) {
    way.site = domain.route->site;
    for (const mx::RouteHost& host : domain.route->hosts) hosts.push_back(host.name);
  } else if (domain.last_host != queue::LastHosts::kNone) {
    const queue::LastHosts& last = transit->domains().last_hosts();
    way.site = last.site(domain.last_host);
    hosts.push_back(last.host(domain.last_host));
  }
  if (hosts.empty()) return way;
  for (const mx::RulePtr& rule : transit->sites().candidates(domain, hosts))
    if (rule != nullptr) way.rules += (way.rules.empty() ? "" : ", ") + rule->name;
  return way;
}

}  // namespace relay
