// What the admin API asks of the running relay. Every call happens on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conf/vocab/door_event.h"
#include "conf/vocab/envelope.h"
#include "conf/vocab/queue_order.h"
#include "conf/vocab/result_counts.h"
#include "conf/vocab/time.h"
#include "relay/admin/delivery_view.h"
#include "relay/admin/mx_view.h"
#include "relay/admin/reload_view.h"
#include "relay/spool/relay_clock.h"

namespace relay::admin {

struct SiteSummary {
  std::string site;          // canonical host set, or the domain while its route is unknown
  uint64_t ready = 0;        // deliveries that wait for a connection
  uint64_t in_flight = 0;    // deliveries being sent
  uint64_t connections = 0;  // open or opening
  std::string
      waiting_for;  // why nothing moves ("connection refused, next try in 32 s"); empty when all is well
};

struct QuarantineCounts {
  uint64_t rows = 0;  // addresses with a state
  uint64_t open_waves = 0;
  uint64_t held = 0;         // Hard errors that the outage guard held back; this and what follows since start
  uint64_t waiting = 0;      // now: what is not in the ledger's file yet
  uint64_t lost = 0;         // what found no room, as the file could not be written
  uint64_t suppressed = 0;   // recipients that may not be written to
  uint64_t quarantined = 0;  // addresses that were barred by their errors or a complaint
  uint64_t waves = 0;
};

struct SiteCount {
  std::string site;
  uint64_t count = 0;
};

struct QueueSummary {
  uint64_t messages = 0;    // in the spool
  uint64_t deliveries = 0;  // message x recipient domain, not finished
  uint64_t scheduled = 0, ready = 0, in_flight = 0, on_hold = 0;
  bool accepting = true;
  std::string not_accepting_why;
  bool recording = true;  // false: deliveries pause, as their results cannot be written to the spool
  // Since start:
  uint64_t accepted = 0, delivered = 0, deferred = 0, failed = 0, expired = 0, dropped = 0,
           reports = 0;  // recipients
  uint64_t inbound_connections = 0, outbound_connections = 0;
  uint64_t log_lost = 0;
  std::vector<conf::DoorCount> refused_at_door;
  uint64_t log_waiting = 0;  // events that are not in the log file yet
  uint64_t body_memory_bytes = 0;
  double uptime_seconds = 0;
  LimiterCounts limiter;
  QuarantineCounts quarantine;
  uint64_t unmatched_returns = 0, forged_returns = 0;  // mails that came back, since start
  uint64_t unknown_texts = 0;                          // refusals whose text no rule reads, since start
  std::vector<SiteCount> unknown_text_sites;           // where, the commonest first, at most 20
  std::vector<SiteSummary> sites;                      // the busiest first, at most 50
  std::vector<conf::ResultCounts> by_rule, by_source;  // of last_known() only
};

using conf::QueueAction;

class Backend {
 public:
  virtual ~Backend() = default;
  virtual QueueSummary summary() = 0;
  // The same as of a moment ago, without its reasons in words: at most a second old while anything happens.
  // Any thread: it never asks the loop.
  virtual QueueSummary last_known() const = 0;
  // Applies to the message; false: it is not queued any more. `who` gave the order, for the log; "": not
  // known.
  virtual bool apply(QueueAction action, conf::MessageId id, const std::string& who) = 0;
  virtual void ordered(conf::QueueOrder order) = 0;  // it was carried out: an event tells; `by` as `who`
  // The stream of the message, if an order on that keeps mail of it back; "": none does.
  virtual std::string paused_stream(conf::MessageId id) = 0;
  // Whether a recipient of the message is not finished.
  virtual bool is_queued(conf::MessageId id) = 0;
  // The site the domain rolled up to when it was last routed; empty when unknown.
  virtual std::string site_of(const std::string& domain) = 0;
  // Where mail to the domain goes and what holds there; asks DNS when it must, hence later. `source`: only
  // from this one; "": from each. `stream`: as mail of this one goes; "": as mail of none.
  virtual void explain(const std::string& domain, const std::string& source, const std::string& stream,
                       std::function<void(Explanation)> done) = 0;
  // Why nothing is sent to the address, whoever writes: "in quarantine (user-unknown)"; "": it may be.
  virtual std::string barred(const std::string& address) = 0;
  // Counts the mail that waits, or only that to one domain ("": all). `done` hears it in time: a round over
  // all deliveries takes some steps.
  virtual void census(const std::string& domain, std::function<void(std::shared_ptr<const Census>)> done) = 0;
  // How the deliveries of a message stand; empty when none is queued.
  virtual std::vector<DeliveryView> deliveries_of(conf::MessageId id) = 0;
  // All paths that have mail, connections, or something that holds them back; the busiest first, at most
  // `limit`. `done` hears it in time: a round over all paths takes some steps.
  virtual void paths(size_t limit, std::function<void(std::vector<PathView>)> done) = 0;
  // `done` hears it in time: a round over all paths takes some steps.
  virtual void order(const MxOrder& order, std::function<void(MxOrderDone)> done) = 0;
  virtual std::vector<OrderView> orders() = 0;  // the orders to block that are in force
  // Reads the configuration again; `done` hears what came of it when it is read.
  virtual void reload(std::function<void(const ReloadDone&)> done) = 0;
  // Of the times in the spool. Any thread.
  virtual const spool::RelayClock& clock() const = 0;
};

}  // namespace relay::admin
