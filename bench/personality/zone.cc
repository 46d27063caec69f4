#include "bench/personality/zone.h"

#include <fmt/format.h>

namespace bench {

std::string zone_text(const Scenario& scenario) {
  std::string out =
      "$ORIGIN test.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\nsender MX "
      "10 ns\n";
  for (const Group& group : scenario.groups) {
    for (size_t i = 0; i < group.hosts.size(); ++i)
      out.append(group.hosts[i]).append(". A ").append(group.addresses[i]).append("\n");
    for (const std::string& domain : group.domains)
      for (size_t i = 0; i < group.hosts.size(); ++i)
        out.append(domain)
            .append(". MX ")
            .append(std::to_string(10 * (i + 1)))
            .append(" ")
            .append(group.hosts[i])
            .append(".\n");
  }
  return out;
}

std::string domain_shares(const Scenario& scenario) {
  double weights = 0;
  for (const Group& group : scenario.groups) weights += group.weight;
  std::string out;
  for (const Group& group : scenario.groups) {
    const double share = group.weight / weights / static_cast<double>(group.domains.size());
    for (const std::string& domain : group.domains) out += fmt::format("{} {:.9f}\n", domain, share);
  }
  return out;
}

}  // namespace bench
