// Where this relay can be reached: an MX host that leads here is a loop.
#pragma once

#include <string>
#include <vector>

#include "conf/config.h"

namespace relay {

// "192.0.2.1:25" for every listener; one on 0.0.0.0 or [::] stands for all addresses of this machine. Read
// once, at the start.
std::vector<std::string> own_addresses(const std::vector<conf::Listener>& listeners);

// "192.0.2.1:25", "[2001:db8::1]:25".
std::string place_text(const std::string& address, uint16_t port);

}  // namespace relay
