// Socket addresses as text. For this folder. Pure.
#pragma once

#include <uv.h>

#include <string>

namespace relay::uv {

// "192.0.2.1", "2001:db8::1"; IPv4-mapped addresses are shown as IPv4. False: not an IP address.
std::string address_text(const sockaddr_storage& address, uint16_t* port);
// Of one party, as far as can be told: an IPv4 address, the first 64 bits of an IPv6 address. Never empty.
std::string network_of(const sockaddr_storage& address);
// False: `address` is not an IP address.
bool to_sockaddr(const std::string& address, uint16_t port, sockaddr_storage* out);

}  // namespace relay::uv
