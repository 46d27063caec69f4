// The counters of one scope of a rule - a source to a remote address, a source to a site, or all sources to a
// site: connections, the hourly quota, the short rate, the concurrency that the receiver's replies allow, and
// how long it wants us to pause. What was counted decides what may go; nothing here knows of messages.
// One thread; every call is O(1) amortised. Time never goes back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/time.h"
#include "mx/limits/admission.h"
#include "mx/limits/change_mark.h"
#include "mx/limits/connection_limit.h"
#include "mx/limits/learned_pace.h"
#include "mx/limits/moment.h"
#include "mx/limits/openings.h"
#include "mx/limits/quota.h"
#include "mx/limits/rate_limit.h"
#include "mx/limits/slowdown.h"
#include "mx/limits/unsaid_limit.h"
#include "mx/limits/window.h"
#include "mx/rules/path_limits.h"

namespace mx {

class Traffic {
 public:
  explicit Traffic(const PathLimits& limits);
  // The rule has changed: new limits, and what was counted stays counted.
  void set(const PathLimits& limits);

  // Whether one more connection may be opened; with kNever when connections themselves are the limit.
  Admission may_connect(conf::Instant now) const;
  // Whether one more transaction may begin over an open connection.
  Admission may_send(conf::Instant now);
  Admission may_send_after(uint32_t others, conf::Instant now) const;  // as many begin now

  // Several paths, each with connections of its own, count here: an MX host that several sites have.
  void share() { shared_ = true; }
  bool shared() const { return shared_; }
  // What counts many sites together (one_site) counts the part of others too that goes to these hosts.
  void share_with_parts() { with_parts_ = true; }
  bool shared_with_parts() const { return with_parts_; }
  void had_turn(bool a_part) { part_was_last_ = a_part; }
  bool part_was_last() const { return part_was_last_; }

  // How many transactions may begin at once: there is no use in more new connections than that.
  uint32_t budget(conf::Instant now) {
    return std::min({quota_.available(now), rate_.available(now), pace_.available(now)});
  }
  void connection_opened(conf::Instant now) { ++connections_, openings_.opened(now); }  // from the SYN on
  void connection_closed(bool served = false);  // a message was taken over it
  uint32_t connections() const { return connections_; }

  // A transaction begins (MAIL): one message of the quota and of the rate. `now` is the key for refund().
  void charge(conf::Instant now);
  void refund(conf::Instant charged_at);  // no reply was obtained for it

  // Feedback. A message was taken: true when more connections may be opened than before. The receiver asked
  // us to slow down (421 or a throttling text): a pause, after which one connection goes first until a
  // message is taken. It did so in place of a greeting, to a connection that still counts, begun then: when
  // others are open, these are as many as it wants, or new ones come too fast (Openings); they go on. A
  // connection was refused, timed out or was lost.
  struct Transaction {
    conf::Instant begun{};
    uint32_t before = 0;  // messages that were taken over its connection
  };
  bool accepted(conf::Instant now, const Transaction& transaction);
  void throttled(conf::Instant now, const Transaction& transaction);
  bool accepted(conf::Instant now) { return accepted(now, {now, 0}); }
  void throttled(conf::Instant now) { throttled(now, {now, 0}); }
  void turned_away(conf::Instant now, conf::Instant begun);
  void trouble(conf::Instant now);
  // A message was deferred without a word about the cause. True: as by a limit, which throttled() is to tell.
  bool deferred(conf::Instant now) { return unsaid_.deferred(now); }

  // For people: explain, status.
  uint32_t window() const;  // connections that the feedback allows now
  uint32_t most_per_connection(conf::Instant now) const { return per_connection_.most(now); }  // 0: any
  conf::Instant slowed_until() const;
  uint32_t used_in_hour(conf::Instant now);
  uint32_t used_in_slice(conf::Instant now) const, slice_limit(conf::Instant now) const;  // 0: no slices

  // What was counted elsewhere, and since then, belongs here too: the stricter of both holds. `from` is a
  // copy with the same limits. Connections that are open there are counted here until as many have ended.
  void inherit(const Traffic& from, conf::WallTime since, const Moment& moment);
  void cut() { quota_.cut(); }  // see Quota
  void lend(const std::shared_ptr<Traffic>& heir);
  std::vector<Traffic*> borrowers() const;         // who counts connections of these
  bool has_guests() const { return guests_ > 0; }  // connections of others

  void reset();  // an operator said so: window and pause start anew; what was counted stays counted
  bool dirty() const { return change_.set(); }  // they changed since the last save(): to the disk with them
  ChangeMark& change() { return change_; }
  // What survives a restart, versioned; empty when there is nothing to remember.
  std::string save(const Moment& moment);
  // False: `saved` is not readable; the counters are as new.
  bool restore(std::string_view saved, const Moment& moment);
  // After a crash nobody knows what was sent from `begin` to `end`: counts as much as the limits would have
  // let go in that time, these or those of the time when it was saved. `end` is not later than now.
  void assume_used(conf::Instant begin, conf::Instant end);
  // No connection, and nothing worth remembering: it was silent for an hour, so that nothing is counted any
  // more, and what the window learned has become old.
  bool idle(conf::Instant now);
  // What is saved now is worth nothing from then on.
  conf::Instant worth_until(conf::Instant now);

 private:
  // What a decision reads stands first: 48 bytes, one line of the processor's cache, for sites not in it.
  // So many may begin, as quota and rate said when asked last: time only adds to that, a charge takes one.
  uint32_t granted_ = 0;
  uint32_t connections_ = 0;
  uint32_t guests_ = 0;  // of these, lent to it
  uint32_t max_connections_ = 0;
  Window window_;
  Slowdown slowdown_;
  Slowdown no_growth_;       // of the window, until its end
  uint8_t turned_away_ = 0;  // in a row, at the greeting
  bool one_first_ = false;   // one connection, until a message is taken
  bool shared_ = false, with_parts_ = false, part_was_last_ = false;
  RateLimit rate_;
  Quota quota_;
  LearnedPace pace_;        // learned from the replies
  Openings openings_;       // the same of connections
  uint32_t fits_ = 0;       // connections, if what was asked for is fewer of them; 0: it is not
  float at_first_ = 0;      // more refusals of first messages over a connection than of later ones
  float turned_share_ = 0;  // of the last new connections, those that were turned away singly
  ConnectionLimit per_connection_;
  UnsaidLimit unsaid_;
  ChangeMark change_;
  struct Loan {
    std::weak_ptr<Traffic> to;
    uint32_t connections = 0;  // of these, those that are still open
  };
  std::unique_ptr<std::vector<Loan>> loans_;
  struct Limits {
    uint32_t messages_per_hour = 0;
    bool smooth = false;
    conf::RuleRate rate;
  };
  uint32_t most_under(const Limits& limits, conf::Instant begin, conf::Instant end) const;
  static Limits read_limits(SavedReader* in);
  std::unique_ptr<Limits> earlier_;  // when it was saved, if they were others; until it is saved again
};

}  // namespace mx
