// The delivery log, a feed of the journal: one JSON object a line per event, written by its own thread; never
// on the mail path.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "conf/config.h"
#include "conf/vocab/event.h"
#include "conf/vocab/result.h"
#include "relay/journal/feed.h"

namespace relay::log {

struct LogCounters {
  uint64_t events = 0, bytes = 0, lost = 0, rotations = 0, write_errors = 0;
};

// A full or failing log disk: events wait in a bounded buffer (64 MB); past it the oldest are counted as
// lost, said on stderr once a minute and in counters, and `{"event":"log_gap","lost":N}` is the first line
// once writing works again. The same line comes first after a kill, or an end, meanwhile: the file
// PATH.waiting beside the log knows how many waited (within a second).
class DeliveryLog final : public journal::Feed {
 public:
  static conf::Result<std::unique_ptr<DeliveryLog>> open(const conf::LogSettings& settings);
  ~DeliveryLog() override;  // writes what is left, waits at most 5 s

  journal::FeedClass feed_class() const override { return journal::FeedClass::kGatesRemoval; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override;
  // All events up to this number have been handed to the kernel, or were given up loudly (see above).
  uint64_t through() const override { return written_through() + offset_; }

  // The log's own numbers: from 1, rising by 1.
  uint64_t append(const conf::DeliveryEvent& event);  // any one thread (the loop)
  uint64_t written_through() const;
  void on_written(std::function<void()> wake);  // called from the writer's thread after each write
  void reopen();                                // SIGUSR1, logrotate: close and open the path again
  LogCounters counters() const;

 private:
  class Writer;
  explicit DeliveryLog(std::unique_ptr<Writer> writer);
  std::unique_ptr<Writer> writer_;
  std::atomic<uint64_t> offset_{0};  // the journal had so many events before the log was added
};

}  // namespace relay::log
