#include "conf/config.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "conf/vocab/address.h"

namespace conf {

bool Network::contains(const std::array<uint8_t, 16>& other) const {
  const size_t whole = prefix_bits / 8;
  if (std::memcmp(address.data(), other.data(), whole) != 0) return false;
  const unsigned rest = prefix_bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (address[whole] & mask) == (other[whole] & mask);
}

bool parse_ip(std::string_view text, std::array<uint8_t, 16>* out) {
  const std::string copy(text);
  if (inet_pton(AF_INET6, copy.c_str(), out->data()) == 1) return true;
  uint8_t v4[4];
  if (inet_pton(AF_INET, copy.c_str(), v4) != 1) return false;
  out->fill(0);
  (*out)[10] = (*out)[11] = 0xff;
  std::memcpy(out->data() + 12, v4, 4);
  return true;
}

const DestinationSettings& Config::settings_for(std::string_view domain, uint32_t* index) const {
  for (size_t i = 0; i < destinations.size(); ++i) {
    const bool matches = std::ranges::any_of(
        destinations[i].domains, [domain](const std::string& mask) { return domain_matches(mask, domain); });
    if (!matches) continue;
    if (index != nullptr) *index = static_cast<uint32_t>(i + 1);
    return destinations[i].settings;
  }
  if (index != nullptr) *index = 0;
  return defaults;
}

const Login* Config::login(std::string_view name) const {
  const auto found = std::ranges::find(logins, name, &Login::name);
  return found == logins.end() ? nullptr : &*found;
}

const User* Config::user(std::string_view name) const {
  const auto found = std::ranges::find(users, name, &User::name);
  return found == users.end() ? nullptr : &*found;
}

SettingsPtr settings_in(const ConfigPtr& config, std::string_view domain, uint32_t* index) {
  return {config, &config->settings_for(domain, index)};
}

}  // namespace conf
