// Counts the mail that waits, for people who ask: a round over all deliveries, some in each step, begun by a
// question and at no other time. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "relay/admin/census.h"
#include "relay/desk/domain_holds.h"
#include "relay/walk/transit.h"

namespace relay {

class CensusTaker {
 public:
  // Both as DomainHolds takes them.
  CensusTaker(Transit* transit, DomainHolds::OrderedUntil ordered)
      : transit_(transit), ordered_(std::move(ordered)) {}

  using Done = std::function<void(std::shared_ptr<const admin::Census>)>;
  // Counts everything, or the mail to one domain ("": all). `done` hears when the round is over:
  // O(deliveries) in all, and each question has a round of its own.
  void take(std::string domain, Done done);
  void step(conf::Instant now);
  bool under_way() const { return !questions_.empty(); }

 private:
  struct Question {
    std::string domain;
    Done done;
  };

  void begin(conf::Instant now);
  bool know_holds();
  void look_at(const queue::Delivery& delivery);
  uint32_t domain_of(const queue::Delivery& delivery);
  uint16_t stream_of(const queue::Delivery& delivery);
  uint32_t path_of(const queue::Path* path);
  uint32_t reason_of(const std::string& text);
  uint32_t reason_of(const queue::Delivery& delivery, conf::Instant* next);

  Transit* transit_;
  DomainHolds::OrderedUntil ordered_;
  std::deque<Question> questions_;         // the first is worked on
  std::shared_ptr<admin::Census> census_;  // null: no round has begun
  std::unique_ptr<DomainHolds> holds_;
  bool holds_known_ = false;
  size_t part_ = 0;
  size_t work_ = 0;                                 // of this step
  std::optional<uint32_t> only_;                    // the number of the domain that is asked for
  std::unordered_map<uint32_t, uint32_t> domains_;  // number in the DomainTable -> position in the census
  std::unordered_map<std::string, uint32_t> paths_, reasons_;
  std::unordered_map<std::string, uint16_t> streams_;
  struct PathSeen {
    uint32_t reason = 0;
    conf::Instant next = conf::kNever;
  };
  std::unordered_map<const queue::Path*, PathSeen> seen_;  // in this step: paths may go between two
};

}  // namespace relay
