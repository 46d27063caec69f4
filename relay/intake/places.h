// How many streams each listener and each client has. A place is taken until its stream is really closed, and
// not only until its session is over: else whoever says QUIT and stays would hold descriptors that count
// nowhere. Loop thread; a place may outlive the Places.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "conf/config.h"

namespace relay {

class Places {
 public:
  enum class Full : uint8_t { kNo, kOfListener, kOfClient };

  // `client`: client_key().
  Full full(const conf::Listener& listener, const std::string& client) const;
  // To be destroyed when the stream is closed.
  std::shared_ptr<const void> take(const std::string& listener, const std::string& client);
  uint32_t taken(const std::string& listener) const;

 private:
  struct Counts {
    std::map<std::string, uint32_t> of_listener;
    std::unordered_map<std::string, uint32_t> of_client;  // listener and client
  };
  struct Place;
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

}  // namespace relay
