#include "relay/queue/last_hosts.h"

namespace relay::queue {

uint16_t LastHosts::number_of(std::string_view host, std::string_view site) {
  if (host.empty()) return kNone;
  const auto known = numbers_.find(host);
  if (known != numbers_.end()) {
    if (!site.empty()) hosts_[known->second].site = site;
    return known->second;
  }
  if (hosts_.size() > kMost) return kNone;
  const auto number = static_cast<uint16_t>(hosts_.size());
  hosts_.push_back({std::string(host), std::string(site)});
  numbers_.emplace(hosts_.back().name, number);
  return number;
}

void LastHosts::is_of(std::string_view host, std::string_view site) {
  const auto known = numbers_.find(host);
  if (known != numbers_.end() && hosts_[known->second].site != site) hosts_[known->second].site = site;
}

}  // namespace relay::queue
