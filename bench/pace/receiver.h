// A receiver with limits that it tells nobody: messages in a sliding window, connections at a time, messages
// over a connection, and moments in which it asks everybody to come later. Its time is virtual. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "conf/vocab/random.h"
#include "conf/vocab/time.h"

namespace pace {

inline conf::Duration length(double seconds) { return conf::Duration(static_cast<int64_t>(seconds * 1e6)); }

enum class Kind : uint8_t {
  kSeconds,        // messages in ten seconds to a minute
  kMinute,         // in a minute
  kMinutes,        // in two minutes to half an hour
  kHour,           // in an hour
  kConnections,    // connections at a time
  kPerConnection,  // messages over a connection
  kMixture,        // of a minute, connections and messages over a connection
  kNoise,          // as kSeconds, and one transaction of a hundred is refused whatever was sent
  kBusy,           // nothing but that one of a hundred
  kCounting,       // as kSeconds, and what it refuses counts as well
  kNewOnes,        // new connections in a minute
};
constexpr size_t kKinds = 11;
const char* to_text(Kind kind);

enum class Stage : uint8_t { kConnect, kMail, kRcpt, kDot };  // where it refuses

struct Hidden {
  conf::Duration window{0};     // sliding; 0: messages are not limited
  uint32_t messages = 0;        // taken in a window
  bool counts_refused = false;  // those that it refused count as well
  uint32_t connections = 0;     // at a time; 0: any
  uint32_t per_connection = 0;  // messages; 0: any
  uint32_t new_ones = 0;        // connections that it takes in a minute; 0: any
  double noise = 0;             // share that it refuses, at its stage, for no reason of ours
  Stage stage = Stage::kMail;
  conf::Duration latency{0};  // of a transaction, on average; a connection takes as long to open

  // Messages a second that a sender with so many connections, and messages over each, could get at most.
  double capacity(uint32_t most_connections, uint32_t most_per_connection) const;
  std::string text() const;
};
Hidden draw(Kind kind, conf::Random* random);

class Receiver {
 public:
  explicit Receiver(const Hidden& hidden, uint64_t seed) : hidden_(hidden), random_(seed) {}
  const Hidden& hidden() const { return hidden_; }

  bool greets(uint32_t connection, conf::Instant now);  // it is open then, until closed()
  bool takes(uint32_t connection, conf::Instant now);   // a message
  void closed(uint32_t connection);

 private:
  struct Connection {
    uint32_t number, taken;
  };
  bool is_full(conf::Instant now);
  bool is_surplus(uint32_t connection) const;
  bool is_one_too_many(conf::Instant now);
  bool is_busy();

  Hidden hidden_;
  conf::Random random_;
  std::deque<conf::Instant> counted_, greeted_;
  std::vector<Connection> connections_;  // the oldest first
};

}  // namespace pace
