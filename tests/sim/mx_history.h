// What a simulation of the limits leaves behind for its judge: the rules as they were drawn, what the
// receivers saw, and what the relay said that it decided. Nothing here comes from the limiter itself.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conf/vocab/event.h"
#include "conf/vocab/time.h"
#include "tests/sim/peer.h"

namespace sim {

struct DrawnThreshold {
  uint32_t error_rate_ppm = 900'000;
  uint32_t min_messages = 300;
  conf::Duration window{0};
  conf::Duration block{0};
  conf::Duration max_block{0};
  uint32_t probes = 5;
  conf::Duration min_duration{0};
  conf::Duration first_probe{0};
  const char* scope = "any";
};

struct DrawnLimits {
  uint32_t max_connections = 20;
  uint32_t min_connections = 0;  // 0: not written
  uint32_t messages_per_connection = 100;
  uint32_t messages_per_hour = 0;  // 0: no limit
  bool smooth = false;
  uint32_t rate = 0;  // a minute; 0: no limit
  uint32_t burst = 1;
  uint32_t adaptive_max = 0;  // 0: off
  bool advise = false;
  std::vector<uint32_t> warmup;
  std::vector<DrawnThreshold> thresholds;
};

enum class CountedBy : uint8_t { kPath, kSource, kPool };

struct DrawnRule {
  std::string name, mx, sources;
  CountedBy scope = CountedBy::kSource;
  bool one_site = false;
  std::vector<std::pair<conf::Instant, DrawnLimits>> versions;  // each from that time on
};

// For all sites, from the start on.
inline DrawnRule rule_with(DrawnLimits limits, CountedBy scope) {
  DrawnRule rule;
  rule.name = "all";
  rule.mx = "mx?.test";
  rule.scope = scope;
  rule.versions.emplace_back(conf::Instant{}, std::move(limits));
  return rule;
}

// One connection as the receiver saw it.
struct SeenSession {
  size_t site = 0, source = 0;
  std::string address;
  conf::Instant opened{}, closed = conf::kNever;
  PeerWatch::End how = PeerWatch::End::kBroken;
  std::vector<size_t> mails;
};
// One MAIL.
struct SeenMail {
  conf::Instant at{};
  size_t session = 0;
  std::string from;
  conf::Instant said = conf::kNever;  // the final word
};
struct SeenReply {
  conf::Instant at{};
  size_t session = 0;
  int code = 0;
  size_t recipients = 0;  // 0: the greeting
};
struct SeenDecision {
  conf::Instant at{}, until{};
  size_t site = 0, source = 0;
  std::shared_ptr<const conf::SiteDecision> what;
};

struct History {
  std::vector<DrawnRule> rules;
  std::vector<std::vector<size_t>> rule_of;  // [site][source]: position in `rules`
  std::vector<SeenSession> sessions;
  std::vector<SeenMail> mails;
  std::vector<SeenReply> replies;
  std::vector<SeenDecision> decisions;
  std::vector<conf::Instant> crashes;
  bool new_source = false;      // the last source climbs ladders
  size_t most_recipients = 1;   // of a transaction
  conf::Duration most_slow{0};  // how long a receiver takes for a reply at most
};

}  // namespace sim
