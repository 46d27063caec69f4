// Tells senders that their mail is late (RFC 3461 §4.1: NOTIFY=DELAY), once for each message and recipient.
// It does not matter why it waits: whatever is queued after its time is told of. That the sender was told
// goes to the spool after the report does: after a crash between the two there are two rather than none. Loop
// thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "conf/config.h"
#include "relay/journal/journal.h"
#include "relay/queue/delivery_store.h"
#include "relay/queue/message_cache.h"
#include "relay/spool/relay_clock.h"
#include "relay/spool/spool.h"
#include "relay/walk/report_mail.h"

namespace relay {

class DelayReports {
 public:
  struct Parts {  // all are borrowed but the configuration
    conf::ConfigPtr config;
    spool::Spool* spool = nullptr;
    journal::Journal* journal = nullptr;
    const spool::RelayClock* clock = nullptr;
    queue::MessageCache* messages = nullptr;
    const queue::DeliveryStore* deliveries = nullptr;
    std::function<void(spool::MessageRecord, conf::Bytes)> take;  // a report that is on disk
  };
  explicit DelayReports(Parts parts);

  // A message is queued: it is remembered when its sender may have to be told of a delay.
  void queued(const spool::MessageRecord& record);
  void step(conf::Instant now);
  conf::Instant next_wake() const;
  // The new times hold for what is remembered already, too; who was not to be told before is not remembered.
  void reload(conf::ConfigPtr config);
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Entry {
    conf::WallTime due;
    conf::MessageId id = 0;
  };
  // When the first recipient that nobody was told of is late; max: none is ever.
  conf::WallTime due_of(const spool::MessageRecord& record) const;
  std::vector<ReportLine> late_ones(const spool::MessageRecord& record, conf::WallTime wall) const;
  void add(Entry entry);
  bool look_at(const Entry& entry, conf::WallTime wall);
  void tell(queue::Message* message);
  void write_down(const queue::Message& message, const std::vector<ReportLine>& lines);
  void mark(queue::Message* message, const std::vector<ReportLine>& lines, bool told);

  Parts parts_;
  bool also_unasked_ = false;
  std::deque<Entry> waiting_;  // not a vector: growing must not move millions at once
  // The look at `waiting_` that is under way, from the end to the front: a part of it in each step.
  size_t left_ = 0;
  conf::WallTime first_due_ = conf::WallTime::max();
  conf::Instant next_look_ = conf::kNever;
  size_t under_way_ = 0;  // reports that are being made
};

}  // namespace relay
