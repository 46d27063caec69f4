// The feed of decisions: the latest about all paths, for people who ask why mail waits. Loop thread, but for
// through().
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "relay/admin/mx_view.h"
#include "relay/flow/path.h"
#include "relay/journal/feed.h"

namespace relay {

class DecisionHistory final : public journal::Feed {
 public:
  static constexpr size_t kKept = 2000;

  journal::FeedClass feed_class() const override { return journal::FeedClass::kBestEffort; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override;
  uint64_t through() const override { return through_.load(std::memory_order_relaxed); }

  // Of one path and of those that its rule counts together with it, the newest first, at most `limit`.
  // O(kKept)
  std::vector<admin::DecisionView> of(const queue::Path& path, size_t limit) const;

 private:
  std::deque<admin::DecisionView> all_;  // the newest first
  std::atomic<uint64_t> through_{0};
};

}  // namespace relay
