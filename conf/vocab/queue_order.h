// What an operator ordered for mail in the queue. Part of the delivery log's events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace conf {

enum class QueueAction : uint8_t {
  kRetry,    // due now
  kHold,     // until it is released
  kRelease,  // due now
  kDrop,     // its recipients end, no report is sent
  kFail,     // its recipients fail, the sender gets a report
};
inline constexpr size_t kQueueActions = static_cast<size_t>(QueueAction::kFail) + 1;

const char* to_text(QueueAction action);  // "retry", "hold", ...

struct QueueOrder {
  QueueAction action = QueueAction::kRetry;
  std::string what;       // which messages were meant: "all", "domain = x.test, older than 2 h", their ids
  std::string by;         // "operator anna as root (uid 0)"
  uint64_t messages = 0;  // that it was carried out for
  uint64_t not_done = 0;  // messages that were meant and never got to
  std::string detail;     // why; "": it was carried out for all
};

}  // namespace conf
