// The feed of flow: how much went over each path in the last minute, for people who ask. Only paths that had
// traffic in the last minute are known, each in some 300 octets. Loop thread, but for through().
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "conf/vocab/time.h"
#include "relay/admin/flow_view.h"
#include "relay/journal/feed.h"

namespace relay {

class FlowRates final : public journal::Feed {
 public:
  explicit FlowRates(const conf::Clock* clock) : clock_(clock) {}  // borrowed

  journal::FeedClass feed_class() const override { return journal::FeedClass::kBestEffort; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override;
  uint64_t through() const override { return through_.load(std::memory_order_relaxed); }

  // One path, by the names that events have. Mail of no rule has none.
  struct Names {
    std::string_view site, source, rule;
    friend bool operator==(const Names& a, const Names& b) = default;
  };
  // In the minute before `now`. The first ten seconds of it count by their share. O(1)
  admin::FlowView last_minute(const Names& names, conf::Instant now) const;
  size_t known() const { return paths_.size(); }
  const conf::Clock& clock() const { return *clock_; }

 private:
  static constexpr int64_t kSlots = 7;  // of ten seconds: six whole ones and the present one
  struct Counts {
    uint32_t delivered = 0, deferred = 0, refused = 0;
  };
  struct Flow {
    std::string site, source, rule;
    Names names() const { return {site, source, rule}; }
    int64_t slot = 0;  // the latest
    std::array<Counts, kSlots> slots{};
  };
  using Flows = std::list<Flow>;
  struct NamesHash {
    size_t operator()(const Names& names) const {
      const std::hash<std::string_view> hash;
      return (hash(names.site) * 31 + hash(names.source)) * 31 + hash(names.rule);
    }
  };
  Counts* counts_of(const conf::DeliveryEvent& event, int64_t slot);

  const conf::Clock* clock_;
  Flows flows_;  // those that had traffic last at the end
  std::unordered_map<Names, Flows::iterator, NamesHash> paths_;
  std::atomic<uint64_t> through_{0};
};

}  // namespace relay
