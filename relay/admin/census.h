// All mail that waits, counted by where it goes, in which state it is and why: what the loop collects in one
// round, and how people want to see it - by domain, site, source, rule or stream. Plain values; grouping is
// pure and happens on the thread of whoever asked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "conf/vocab/envelope.h"
#include "conf/vocab/time.h"

namespace relay::admin {

enum class WaitingState : uint8_t {
  kReady,      // waits for a connection
  kInFlight,   // is being sent, or its outcome is being written down
  kScheduled,  // waits for its next attempt
  kHeld,       // an operator said hold, or a reply rule, or an order keeps its stream back
  kRouting,    // waits for an answer of DNS
};
constexpr size_t kWaitingStates = 5;
const char* to_text(WaitingState state);  // "ready", "in flight", ...

struct Census {
  static constexpr size_t kMostCells = 500'000;  // what comes to more is counted under "(other domains)"

  struct Cell {  // the deliveries of one stream that one domain has in one state on one path for one reason
    uint64_t count = 0;
    conf::MessageId oldest = 0;         // the message accepted first
    conf::Instant next = conf::kNever;  // the soonest that one of them may go; kNever: nobody knows
  };
  struct Key {
    uint32_t domain = 0, path = 0, reason = 0;  // positions below
    WaitingState state = WaitingState::kReady;
    uint16_t stream = 0;  // position below
    bool operator<(const Key& other) const {
      return std::tie(domain, path, reason, state, stream) <
             std::tie(other.domain, other.path, other.reason, other.state, other.stream);
    }
  };
  struct Domain {
    std::string name, site,
        rule;  // of its present route, or of the last one; the site is the domain while none is known
  };
  struct Path {
    std::string site, source, rule;  // the first one stands for mail that has no path yet
  };
  std::map<Key, Cell> cells;
  std::vector<Domain> domains;
  std::vector<Path> paths{Path{}};
  std::vector<std::string> reasons{std::string()};  // the first: none
  std::vector<std::string> streams{std::string()};  // likewise
  conf::Instant made{};
  conf::WallTime made_wall{};  // of the same clock as message ids
};

struct WaitingReason {
  std::string text;
  uint64_t count = 0;
  std::optional<double> next_seconds;  // until the soonest of them may go; nothing: nobody knows
};

struct Waiting {  // a group of a census
  std::string name;
  uint64_t counts[kWaitingStates] = {};
  double oldest_seconds = 0;           // since the acceptance of the oldest
  std::optional<double> next_seconds;  // until the next attempt of one that is scheduled
  std::vector<WaitingReason> reasons;  // what keeps most of it first; at most reasons_shown()
  uint64_t other_reasons = 0;          // how many more there are, and of how much mail
  uint64_t other_count = 0;

  uint64_t of(WaitingState state) const { return counts[static_cast<size_t>(state)]; }
  uint64_t total() const;
  // Of which anything keeps back.
  uint64_t kept() const { return total() - of(WaitingState::kInFlight); }
};

enum class WaitingBy : uint8_t { kDomain, kSite, kSource, kRule, kStream };
// A source, a rule and a stream have mail to many sites, each with reasons of its own.
constexpr size_t reasons_shown(WaitingBy by) {
  return by == WaitingBy::kDomain || by == WaitingBy::kSite ? 5 : 20;
}
std::optional<WaitingBy> waiting_by(std::string_view text);  // as to_text() has it
const char* to_text(WaitingBy by);                           // "domain", "site", "source", "rule", "stream"

// Whose mail waits most first, at most `most`. Mail without a path has no source yet. O(cells log cells)
std::vector<Waiting> groups_of(const Census& census, WaitingBy by, size_t most);
// Everything in one; no reasons and no counts when nothing waits.
Waiting all_of(const Census& census);

}  // namespace relay::admin
