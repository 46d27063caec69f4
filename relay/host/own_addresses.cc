#include "relay/host/own_addresses.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace relay {

namespace {

constexpr size_t kMostInterfaces = 4096;

// netdevice(7). Not getifaddrs(3): it wants a netlink socket, which the unit denies.
std::vector<std::string> own_ipv4() {
  std::vector<std::string> found;
  const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (any < 0) return found;
  std::vector<ifreq> interfaces(kMostInterfaces);
  ifconf all{};
  all.ifc_len = static_cast<int>(interfaces.size() * sizeof(ifreq));
  all.ifc_req = interfaces.data();
  if (::ioctl(any, SIOCGIFCONF, &all) == 0)
    interfaces.resize(static_cast<size_t>(all.ifc_len) / sizeof(ifreq));
  else
    interfaces.clear();
  ::close(any);
  for (const ifreq& each : interfaces) {
    char text[INET_ADDRSTRLEN];
    const auto& address = reinterpret_cast<const sockaddr_in&>(each.ifr_addr);
    if (inet_ntop(AF_INET, &address.sin_addr, text, sizeof text) != nullptr) found.emplace_back(text);
  }
  return found;
}

// Each line begins with 32 hexadecimal digits (Documentation/networking of Linux).
std::vector<std::string> own_ipv6() {
  std::vector<std::string> found;
  std::ifstream list("/proc/self/net/if_inet6");
  for (std::string line; std::getline(list, line);) {
    in6_addr address{};
    bool whole = line.size() >= 2 * sizeof address;
    for (size_t i = 0; whole && i < sizeof address; ++i) {
      unsigned octet = 0;
      whole = std::sscanf(line.c_str() + 2 * i, "%2x", &octet) == 1;
      address.s6_addr[i] = static_cast<uint8_t>(octet);
    }
    char text[INET6_ADDRSTRLEN];
    if (whole && inet_ntop(AF_INET6, &address, text, sizeof text) != nullptr) found.emplace_back(text);
  }
  return found;
}

}  // namespace

std::string place_text(const std::string& address, uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? '[' + address + ']' : address) + ':' + std::to_string(port);
}

std::vector<std::string> own_addresses(const std::vector<conf::Listener>& listeners) {
  std::vector<std::string> own;
  for (const conf::Listener& listener : listeners) {
    const bool any_v6 = listener.address == "::";
    if (listener.address != "0.0.0.0" && !any_v6) {
      own.push_back(place_text(listener.address, listener.port));
      continue;
    }
    own.push_back(place_text(listener.address, listener.port));
    for (const std::string& address : own_ipv4()) own.push_back(place_text(address, listener.port));
    if (!any_v6) continue;
    for (const std::string& address : own_ipv6()) own.push_back(place_text(address, listener.port));
  }
  return own;
}

}  // namespace relay
