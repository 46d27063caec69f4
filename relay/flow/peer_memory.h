// What sessions learnt about the servers at addresses: extensions and ways to log in better left out, TLS
// that fails, how many messages a connection and how many recipients a transaction takes. Kept for a while,
// for servers get mended; bounded. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "conf/vocab/time.h"
#include "relay/smtp/lessons.h"

namespace relay {

class PeerMemory {
 public:
  explicit PeerMemory(conf::Duration keep = std::chrono::hours(1), size_t most = 65'536)
      : keep_(keep), most_(most) {}

  // True: something of it is new.
  bool learn(const std::string& address, uint16_t port, const smtp::Lessons& lessons, conf::Instant now);
  // What is known at present; nothing: an empty one.
  smtp::Lessons about(std::string_view address, uint16_t port, conf::Instant now) const;
  size_t size() const { return known_.size(); }

 private:
  struct Entry {
    smtp::Lessons lessons;
    conf::Instant until{};
    conf::Instant clear_until{};  // its TLS failed: mail in clear is better than none, but not for long
  };
  void make_room(conf::Instant now);

  const conf::Duration keep_;
  const size_t most_;
  std::unordered_map<std::string, Entry> known_;
};

}  // namespace relay
