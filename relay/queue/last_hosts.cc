#include "relay/queue/last_hosts.h"

namespace relay::queue {

uint16_t LastHosts::number_of(std::string_view host, std::string_view site) {
  if (host.empty()) return kNone;
  if (site.empty()) site = host;
  const auto known = numbers_.find({host, site});
  if (known != numbers_.end()) return known->second;
  if (hosts_.size() > kMost) return kNone;
  const auto number = static_cast<uint16_t>(hosts_.size());
  const Host& kept = hosts_.emplace_back(Host{std::string(host), std::string(site)});
  numbers_.emplace(Key(kept.name, kept.site), number);
  return number;
}

}  // namespace relay::queue
