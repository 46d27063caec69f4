#include "relay/desk/site_mask.h"

#include <algorithm>

#include "conf/vocab/address.h"

namespace relay {

bool means_site(const std::string& mask, std::string_view label) {
  if (conf::domain_matches(mask, label)) return true;
  while (!label.empty()) {
    const std::string_view host = label.substr(0, label.find(','));
    if (conf::domain_matches(mask, host)) return true;
    const size_t colon = host.find(':');
    const bool has_port =
        colon != std::string_view::npos && host.find(':', colon + 1) == std::string_view::npos;
    if (has_port && conf::domain_matches(mask, host.substr(0, colon))) return true;
    label.remove_prefix(std::min(host.size() + 1, label.size()));
  }
  return false;
}

}  // namespace relay
