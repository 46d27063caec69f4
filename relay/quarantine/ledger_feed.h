// The feed of the ledger: counts for the reports, what mail that came back says of addresses, and the cursor
// that keeps a message in the spool until what its recipients came to is in the ledger's file. What servers
// said goes to the book before it becomes an event (AddressWatch), so an event is done with when all that was
// given to the book until then is written.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <string>

#include "bounce/quarantine_book.h"
#include "conf/vocab/time.h"
#include "relay/journal/feed.h"
#include "relay/journal/first_reports.h"

namespace relay {

class LedgerFeed final : public journal::Feed {
 public:
  // How many signals the ledger was given, and how many of them it is done with.
  struct Progress {
    uint64_t given = 0, done = 0;
  };
  LedgerFeed(bounce::QuarantineBook* book, std::function<Progress()> progress,
             std::function<void(const std::string&)> say);

  journal::FeedClass feed_class() const override { return journal::FeedClass::kGatesRemoval; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override;
  uint64_t through() const override { return through_.load(std::memory_order_acquire); }
  // Whether bounces that came back count in the reports, beside the delivery that they belong to.
  void count_late(bool on) { late_ = on; }
  // Moves the cursor. A ledger that cannot be written for ten minutes holds nobody up any longer: what waits
  // in memory is still written when it can be. Loop thread.
  void step(conf::Instant now);

 private:
  struct Mark {
    uint64_t sequence = 0;  // of an event
    uint64_t given = 0;     // signals before it
  };
  void count(const conf::DeliveryEvent& event);
  void came_back(const conf::DeliveryEvent& event);

  bounce::QuarantineBook* book_;
  std::function<Progress()> progress_;
  std::function<void(const std::string&)> say_;
  journal::FirstReports first_;
  std::deque<Mark> marks_;  // of events that are not done with, one for each number of signals
  conf::Instant moved_{};   // when the cursor last moved, or had nothing to wait for
  bool complained_ = false;
  bool late_ = false;
  std::atomic<uint64_t> through_{0};
};

}  // namespace relay
