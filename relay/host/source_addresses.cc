#include "relay/host/source_addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace relay {

namespace {

// Only what the system says for certain: where there is no IPv6 at all, say, nothing is known.
bool is_of_another_machine(const std::string& address) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  const bool is_v4 = ::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && ::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) return false;
  const int descriptor = ::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  const auto* place = is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const socklen_t size = is_v4 ? sizeof v4 : sizeof v6;
  const bool absent = ::bind(descriptor, place, size) != 0 && errno == EADDRNOTAVAIL;
  ::close(descriptor);
  return absent;
}

}  // namespace

std::vector<const conf::Source*> sources_of_other_machines(const conf::Config& config) {
  std::vector<const conf::Source*> absent;
  for (const conf::Source& source : config.sources) {
    if (!source.address.empty() && is_of_another_machine(source.address)) absent.push_back(&source);
  }
  return absent;
}

std::vector<const conf::Listener*> listeners_of_other_machines(const conf::Config& config) {
  std::vector<const conf::Listener*> absent;
  for (const conf::Listener& listener : config.listeners) {
    if (is_of_another_machine(listener.address)) absent.push_back(&listener);
  }
  return absent;
}

std::string other_machine_text(const conf::Source& source) {
  return "[[source]] \"" + source.name + "\" address: " + source.address +
         " is not an address of this machine: nothing can be sent from it";
}

void warn_of_other_machines(const conf::Config& config, const std::function<void(const std::string&)>& say) {
  for (const conf::Source* source : sources_of_other_machines(config))
    say("warning: " + other_machine_text(*source));
}

}  // namespace relay
