#include "relay/intake/client_key.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "conf/config.h"

namespace relay {

std::string client_key(std::string_view address) {
  std::array<uint8_t, 16> ip{};
  if (!conf::parse_ip(address, &ip)) return std::string(address);
  char text[INET6_ADDRSTRLEN];
  static constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), ip.begin())) {
    inet_ntop(AF_INET, ip.data() + kMapped.size(), text, sizeof text);
    return text;
  }
  std::fill(ip.begin() + 8, ip.end(), uint8_t{0});
  inet_ntop(AF_INET6, ip.data(), text, sizeof text);
  return std::string(text) + "/64";
}

}  // namespace relay
