// What the sessions of all threads share: which message is next and when it is due. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "bench/load/message.h"
#include "bench/load/options.h"
#include "bench/load/pacer.h"

namespace bench::load {

class Plan {
 public:
  explicit Plan(const LoadOptions& options);

  void begin(int64_t start_us);  // before anything else

  // The next message, if one is due. In a closed loop one always is until the end. `due_us` is the time from
  // which its response time counts: also when no session was free then.
  bool take(int64_t now_us, Message* message);
  // When the next message is due; nullopt: none, or any time (closed loop).
  std::optional<int64_t> next_due() const;
  bool over(int64_t now_us) const;  // nothing will be handed out any more
  // How many were due by now and never taken, because the run was ended: nobody answered them either. They
  // count as handed out from here on. 0 in a closed loop.
  uint64_t give_up_due(int64_t now_us);
  uint64_t handed_out() const;

 private:
  bool over_locked(int64_t now_us) const;

  mutable std::mutex mutex_;
  const LoadOptions& options_;
  std::optional<Pacer> pacer_;
  uint64_t planned_;
  int64_t end_us_ = INT64_MAX;
  uint64_t handed_out_ = 0;
};

}  // namespace bench::load
