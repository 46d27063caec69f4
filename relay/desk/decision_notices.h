// The feed that tells the journal of the system when the replies of a site block it, and when its mail goes
// again: whoever looks there for trouble finds it. Loop thread, but for through().
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "conf/vocab/time.h"
#include "relay/journal/feed.h"

namespace relay {

class DecisionNotices final : public journal::Feed {
 public:
  static constexpr uint32_t kMost = 20;  // lines of a minute: a blocked pool has one for each of its paths
  DecisionNotices(const conf::Clock* clock, std::function<void(const std::string&)> say)  // `clock`: borrowed
      : clock_(clock), say_(std::move(say)) {}

  journal::FeedClass feed_class() const override { return journal::FeedClass::kBestEffort; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override;
  uint64_t through() const override { return through_.load(std::memory_order_relaxed); }

 private:
  void tell(const std::string& line);

  const conf::Clock* clock_;
  std::function<void(const std::string&)> say_;
  conf::Instant minute_ = conf::kNever;  // began; kNever: none has
  uint32_t said_ = 0, unsaid_ = 0;       // in it
  std::atomic<uint64_t> through_{0};
};

}  // namespace relay
