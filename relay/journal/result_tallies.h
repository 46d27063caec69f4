// The feed that counts results by MX rule and by source, and how long they took. A scrape reads it on its own
// thread and never asks the loop.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "conf/vocab/result_counts.h"
#include "conf/vocab/time.h"
#include "relay/journal/feed.h"

namespace relay::journal {

// Times in buckets. One writer, any number of readers.
template <size_t kBounds>
class Histogram {
 public:
  explicit Histogram(const std::array<double, kBounds>* bounds) : bounds_(bounds) {}  // seconds, rising
  void add(conf::Duration time);
  conf::HistogramCounts counts() const;

 private:
  const std::array<double, kBounds>* bounds_;
  std::array<std::atomic<uint64_t>, kBounds + 1> counts_{};
  std::atomic<uint64_t> micros_{0};
};

// Results by name. The names come from the configuration, of which there are few; those of many reloads are
// bounded too: past kMost names all further ones are "other". A name keeps its place, so that no counter
// falls.
class Tallies {
 public:
  static constexpr size_t kMost = 100;
  static constexpr size_t kDeliveryBounds = 14, kTransactionBounds = 12;
  enum class Result : uint8_t { kDelivered, kDeferred, kHeldBack, kFailed, kExpired };
  static constexpr size_t kResults = 5;
  struct Tally {
    explicit Tally(std::string called);
    std::string name;
    std::array<std::atomic<uint64_t>, kResults> results{};
    Histogram<kDeliveryBounds> delivery;
    Histogram<kTransactionBounds> transaction;
  };

  Tally* of(const std::string& name);              // "": "none"; one thread
  std::vector<conf::ResultCounts> counts() const;  // any thread

 private:
  // What stands below known_ does not move any more.
  std::array<std::unique_ptr<Tally>, kMost + 1> tallies_;
  std::atomic<size_t> known_{0};
  std::map<std::string, Tally*, std::less<>> by_name_;  // of the writer
};

class ResultTallies final : public Feed {
 public:
  // `clock` is that of the ids of messages; borrowed.
  explicit ResultTallies(const conf::Clock* clock) : clock_(clock) {}

  FeedClass feed_class() const override { return FeedClass::kBestEffort; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override;
  uint64_t through() const override { return through_.load(std::memory_order_relaxed); }

  // Those that had a result; without times by source. Each number is exact; they are not of one instant. Any
  // thread.
  std::vector<conf::ResultCounts> by_rule() const { return rules_.counts(); }
  std::vector<conf::ResultCounts> by_source() const { return sources_.counts(); }

 private:
  const conf::Clock* clock_;
  Tallies rules_, sources_;
  std::atomic<uint64_t> through_{0};
};

}  // namespace relay::journal
