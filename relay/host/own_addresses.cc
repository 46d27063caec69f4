#include "relay/host/own_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

namespace relay {

namespace {

// Textual, of one family.
std::vector<std::string> machine_addresses(int family) {
  std::vector<std::string> found;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return found;
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != family) continue;
    const void* bytes =
        family == AF_INET
            ? static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(each->ifa_addr)->sin_addr)
            : &reinterpret_cast<sockaddr_in6*>(each->ifa_addr)->sin6_addr;
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(family, bytes, text, sizeof text) != nullptr) found.emplace_back(text);
  }
  freeifaddrs(all);
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
    for (const std::string& address : machine_addresses(AF_INET))
      own.push_back(place_text(address, listener.port));
    if (!any_v6) continue;
    for (const std::string& address : machine_addresses(AF_INET6))
      own.push_back(place_text(address, listener.port));
  }
  return own;
}

}  // namespace relay
