// The feed of counters: what happened since the start, by kind. A scrape reads it on its own thread and never
// asks the loop.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "relay/journal/feed.h"

namespace relay::journal {

// Since start.
struct EventCounts {
  uint64_t accepted = 0, delivered = 0, failed = 0, expired = 0, dropped = 0;  // recipients
  // Attempts, of one recipient each, and, once for each delivery, that its path fails and it waits.
  uint64_t deferred = 0;
  uint64_t held_back = 0;    // deferred without an attempt (a block); not counted in `deferred`
  uint64_t suppressed = 0;   // recipients that may not be written to
  uint64_t quarantined = 0;  // addresses that were barred by their errors or a complaint
  uint64_t waves = 0;        // of the outage guard
  uint64_t reports = 0, unsigned_mails = 0, alarms = 0;
  uint64_t unmatched = 0;  // mails that came back and say nothing that could be believed
  uint64_t forged = 0;     // of these, with a token that is not one of ours
  std::array<uint64_t, conf::kDecisionActions> decisions{};  // by DecisionAction
  uint64_t unknown = 0;                                      // refusals whose text no rule and no row reads
  std::vector<std::pair<std::string, uint64_t>> unknown_sites;  // where, the commonest first, at most 20
};

class Metrics final : public Feed {
 public:
  FeedClass feed_class() const override { return FeedClass::kBestEffort; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override;
  uint64_t through() const override { return through_.load(std::memory_order_relaxed); }
  // Each number is exact; they are not of one instant. Any thread.
  EventCounts counts() const;

 private:
  using Counter = std::atomic<uint64_t>;
  static void add(Counter* counter, uint64_t count = 1) {  // one writer: no locked instruction is needed
    counter->store(counter->load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  void note_unknown(const std::string& site);

  std::array<Counter, conf::kEventKinds> kinds_{};
  std::array<Counter, conf::kDecisionActions> decisions_{};
  static constexpr size_t kMostSites = 500;
  mutable std::mutex mutex_;  // of unknown_sites_
  std::map<std::string, uint64_t, std::less<>> unknown_sites_;
  Counter unknown_{0};
  Counter held_back_{0};
  Counter forged_{0};
  Counter through_{0};
};

}  // namespace relay::journal
