// Whether a mask, as operators write it, means a site.
#pragma once

#include <string>
#include <string_view>

namespace relay {

// `label`: of a Site, all of its named hosts with their ports. On the whole of it, or on one of the hosts,
// with its port or without. O(hosts)
bool means_site(const std::string& mask, std::string_view label);

}  // namespace relay
