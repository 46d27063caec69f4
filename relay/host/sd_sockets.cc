#include "relay/host/sd_sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <array>

#include "relay/host/own_addresses.h"

namespace relay {
namespace {

// As the kernel writes it, so that 2001:DB8:0::1 is found as 2001:db8::1.
std::string canonical(const std::string& address) {
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (inet_pton(family, address.c_str(), octets.data()) != 1) return address;
  return inet_ntop(family, octets.data(), text.data(), text.size());
}

std::string place_of(int descriptor) {
  sockaddr_storage where{};
  socklen_t length = sizeof where;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&where), &length) != 0) return {};
  if (where.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(where);
    inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
    return place_text(text.data(), ntohs(six.sin6_port));
  }
  const auto& four = reinterpret_cast<const sockaddr_in&>(where);
  inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
  return place_text(text.data(), ntohs(four.sin_port));
}

}  // namespace

SdSockets::SdSockets() {
  const int count = sd_listen_fds(1);
  for (int descriptor = SD_LISTEN_FDS_START; descriptor < SD_LISTEN_FDS_START + count; ++descriptor) {
    if (sd_is_socket(descriptor, AF_INET, SOCK_STREAM, 1) > 0 ||
        sd_is_socket(descriptor, AF_INET6, SOCK_STREAM, 1) > 0)
      sockets_[place_of(descriptor)] = {descriptor, false};
  }
}

SdSockets::~SdSockets() {
  for (const auto& [place, socket] : sockets_) ::close(socket.descriptor);
}

int SdSockets::take(const std::string& address, uint16_t port) {
  const auto found = sockets_.find(place_text(canonical(address), port));
  if (found == sockets_.end()) return -1;
  found->second.taken = true;
  return fcntl(found->second.descriptor, F_DUPFD_CLOEXEC, 0);
}

std::vector<std::string> SdSockets::never_taken() const {
  std::vector<std::string> places;
  for (const auto& [place, socket] : sockets_)
    if (!socket.taken) places.push_back(place);
  return places;
}

}  // namespace relay
