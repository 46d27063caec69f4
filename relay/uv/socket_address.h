// Socket addresses as text. For this folder.
#pragma once

#include <uv.h>

#include <string>

namespace relay::uv {

// "192.0.2.1", "2001:db8::1"; IPv4-mapped addresses are shown as IPv4. False: not an IP address.
std::string address_text(const sockaddr_storage& address, uint16_t* port);
bool to_sockaddr(const std::string& address, uint16_t port, sockaddr_storage* out);

}  // namespace relay::uv
