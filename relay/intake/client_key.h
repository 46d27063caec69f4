// By what a client is counted: its IPv4 address, or the /64 of its IPv6 address, for whoever has one address
// of a /64 has them all (RFC 6177).
#pragma once

#include <string>
#include <string_view>

namespace relay {

// "192.0.2.1", "2001:db8:0:1::/64"; a text that is no address is its own key. Mapped IPv4 counts as IPv4.
std::string client_key(std::string_view address);

}  // namespace relay
