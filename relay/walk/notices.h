// What is said of mail that waits, and of the decisions that make it wait: events for the journal, each with
// its reason. Loop thread.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "mx/limits/standing.h"
#include "relay/flow/dispatcher_user.h"
#include "relay/flow/path.h"
#include "relay/flow/stream_table.h"
#include "relay/journal/attempt.h"
#include "relay/journal/events.h"
#include "relay/journal/journal.h"
#include "relay/queue/domain_table.h"
#include "relay/queue/message.h"
#include "relay/spool/relay_clock.h"

namespace relay {

class Notices {
 public:
  // All are borrowed.
  Notices(journal::Journal* journal, const spool::RelayClock* clock, const queue::DomainTable* domains,
          const queue::StreamTable* streams)
      : journal_(journal), clock_(clock), domains_(domains), streams_(streams) {}

  // A block defers with type Ignored: no attempt is counted, and nothing is written down but this line. Once
  // until the delivery is scheduled anew: a reload that leaves it where it was is no news.
  void blocked(queue::Delivery* delivery, const queue::Path& path);
  // The same: an order keeps its stream back until then.
  void paused(queue::Delivery* delivery, conf::Instant until);
  // Its path fails and is tried again, by `again` at the latest; the delivery waits for it and not for a
  // schedule of its own.
  void waits_for_path(queue::Delivery* delivery, const queue::PathError& error, const AttemptFacts& facts,
                      conf::Duration again);
  void trouble(const queue::Path& path, const ServerTrouble& trouble);
  // The path has begun to fail: said at once, for each time once, long before its mail is told of.
  void fails(const queue::Path& path);
  // It cannot be read from the spool; `gone`: for ever, and it leaves the queue.
  void unreadable(const queue::Delivery& delivery, const conf::Error& why, bool gone);
  // An operator's order about streams (a mask).
  void ordered(conf::DecisionAction action, const std::string& stream, const std::string& by,
               conf::Instant until, const std::string& text);
  void ordered(conf::QueueOrder order);  // about mail in the queue
  // True: a crash must not undo it.
  bool decided(const queue::Path& path, const mx::Decision& decision);

 private:
  void held_back(const queue::Delivery& delivery, journal::HeldBack by);
  conf::WallTime calendar(conf::Instant moment) const;

  journal::Journal* journal_;
  const spool::RelayClock* clock_;
  const queue::DomainTable* domains_;
  const queue::StreamTable* streams_;
  // By site and source, when the failure began that was told of. Bounded: it begins anew when it is full.
  std::unordered_map<std::string, conf::Instant> told_failures_;
};

}  // namespace relay
