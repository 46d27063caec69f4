#include "relay/uv/socket_address.h"

#include <netinet/in.h>

#include <cstring>

namespace relay::uv {

std::string address_text(const sockaddr_storage& address, uint16_t* port) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    uv_ip4_name(&v4, text, sizeof text);
    if (port != nullptr) *port = ntohs(v4.sin_port);
    return text;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  uv_ip6_name(&v6, text, sizeof text);
  if (port != nullptr) *port = ntohs(v6.sin6_port);
  if (std::strncmp(text, "::ffff:", 7) == 0 && std::strchr(text, '.') != nullptr) return text + 7;
  return text;
}

std::string network_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const in_addr& v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    return {reinterpret_cast<const char*>(&v4), sizeof v4};
  }
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  const auto* octets = reinterpret_cast<const char*>(&v6);
  return IN6_IS_ADDR_V4MAPPED(&v6) ? std::string(octets + 12, 4) : std::string(octets, 8);
}

bool to_sockaddr(const std::string& address, uint16_t port, sockaddr_storage* out) {
  std::memset(out, 0, sizeof *out);
  return uv_ip4_addr(address.c_str(), port, reinterpret_cast<sockaddr_in*>(out)) == 0 ||
         uv_ip6_addr(address.c_str(), port, reinterpret_cast<sockaddr_in6*>(out)) == 0;
}

}  // namespace relay::uv
