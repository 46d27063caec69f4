// Between the dispatcher and mx: asks the counters of a path before anything is opened or sent, tells them
// what came of it, and keeps the paths in line that wait for counters which several share. The one place that
// does. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bounce/qualifier.h"
#include "conf/config.h"
#include "mx/limits/admission.h"
#include "mx/limits/decision.h"
#include "mx/limits/lease.h"
#include "relay/flow/path.h"
#include "relay/flow/site_table.h"
#include "relay/smtp/transaction.h"

namespace relay {

class PathGate {
 public:
  struct Parts {
    queue::SiteTable* sites = nullptr;
    const mx::Lease* lease = nullptr;
    const conf::Clock* clock = nullptr;
    std::function<void(queue::Path*)> ask_again;  // something that the path waited for may be free
    std::function<void(const queue::Path&, const std::vector<mx::Decision>&)> decided;
  };
  explicit PathGate(Parts parts) : parts_(std::move(parts)) {}

  // What one connection holds of the counters.
  struct Use {
    std::shared_ptr<mx::Traffic> traffic;  // null: no target is open
    std::shared_ptr<mx::Traffic> host;     // of the host beside it; null: they are the same
    std::shared_ptr<mx::Standing> standing;
    std::optional<mx::Standing::Attempt> attempt;  // the transaction that runs
    conf::Instant begun{};                         // the connection, or its latest transaction
    bool booked = false;                           // no message went over it yet, nor did it rest
    uint32_t taken = 0;                            // messages
    uint32_t counted = 0;                          // PathCounters::version
    bool asked_slower = false;                     // the server said so: it ends
    bool open() const { return traffic != nullptr; }
  };

  // May a connection of the path to this address be opened? The limit of the whole relay is the dispatcher's.
  mx::Admission may_open(queue::Path* path, std::string_view address, conf::Instant now);
  // The same, but for what time alone gives (quota, rate): the connection is there when its turn comes.
  mx::Admission may_open_early(queue::Path* path, std::string_view address, conf::Instant now);
  // How many transactions could begin at once; no more connections are opened than that.
  uint32_t budget(queue::Path* path, std::string_view address, conf::Instant now);
  // The same for a message, whatever host it goes to; and whether this host takes a connection and a message,
  // where hosts are counted.
  mx::Admission site_may_send(const queue::Path& path, conf::Instant now) const;
  bool host_may_take(queue::Path* path, std::string_view address, conf::Instant now);
  // Counters there, which several paths have, that let no more messages begin than connections are being
  // opened for already, whatever paths these are of. Null: there are none. And the path waits for them.
  mx::Traffic* booked_up(queue::Path* path, std::string_view address, conf::Instant now);
  void wait_for_booked(queue::Path* path, mx::Traffic* counters, conf::Instant now);
  // The narrowest of those that count at this address.
  const mx::Traffic* counters_at(queue::Path* path, std::string_view address);
  // May the connection, which has `sent` so many messages, begin another transaction?
  mx::Admission may_send(const queue::Path& path, const Use& use, uint32_t sent, conf::Instant now) const;
  // More connections are open than the counters, or an order, allow by now: this one should go when it can.
  static bool is_surplus(const queue::Path& path, const Use& use, conf::Instant now);
  // No other connection of the same counters can be opened before one of them ends.
  static bool is_full(const Use& use, conf::Instant now);
  // Whether all addresses of the path have the same counters.
  static bool has_one_answer(const queue::Path& path) {
    return path.limits->scope != conf::RuleScope::kPath && !queue::SiteTable::counts_hosts(path);
  }
  // Whether something is counted that a crash must not forget.
  static bool counts_anything(const mx::PathLimits& limits);
  const mx::Lease& lease() const { return *parts_.lease; }

  void open(queue::Path* path, std::string_view address, Use* use);
  void close(Use* use);
  void charge(Use* use, conf::Instant now);  // a transaction begins
  void end_booking(Use* use);                // it takes none of the messages that may begin now
  // Before that: what names no cause becomes a wish for a slower pace where it behaves as a limit.
  static void read_limit(const Use& use, conf::Instant now, std::vector<smtp::RecipientOutcome>* outcomes);
  void feed_back(queue::Path* path, Use* use, const std::vector<smtp::RecipientOutcome>& outcomes,
                 conf::Instant now);
  void abandon(queue::Path* path, Use* use, conf::Instant now);  // the transaction, if any, has no outcome
  // A connection was refused, timed out or was lost, as `error` says. True: it was asked to come slower.
  bool trouble(queue::Path* path, const Use& use, const queue::PathError& error, conf::Instant now);

  // Remembers what keeps the path back, and where it waits for it.
  void wait(queue::Path* path, const mx::Admission& admission);
  void leave(queue::Path* path);  // it waits for nothing any more
  // The path took what it could; the next in line may try, if something is left.
  void pass_on(queue::Path* path, conf::Instant now);
  // Other paths than the one whose use it is count there.
  static bool is_shared(const Use& use) {
    return use.traffic->shared() || (use.host != nullptr && use.host->shared());
  }
  // The path has only some hosts in counters of many sites (one_site), and mail that went to such a host had
  // the latest turn there: those many are next.
  static bool lets_many_first(const queue::Path& path);
  // Another path waits for a connection of these counters, and none goes for it yet.
  bool is_wanted(const queue::Path& path, const Use& use) const;
  void makes_room(const Use& use);  // that one goes
  // Counters that several paths share, and who stands in line there since the last call: what rests there and
  // is needed less may go.
  struct Wanted {
    const void* counters = nullptr;
    const queue::Path* by = nullptr;
  };
  std::vector<Wanted> take_wanted() { return std::exchange(wanted_, {}); }
  void lease_renewed();
  bool wants_lease() const { return !leasing_.empty(); }
  void tell_decisions(const queue::Path& path);
  // Tells that the order which held the path is over, once: if it ended by itself.
  void end_order(queue::Path* path, conf::Instant now);
  void tell(const queue::Path& path, const std::vector<mx::Decision>& decisions) {
    parts_.decided(path, decisions);
  }

 private:
  bool leased(const queue::Path& path, conf::Instant now) const;
  using Bookings = std::vector<conf::Instant>;  // since when connections are opened for what may begin now
  void book(Use* use);
  static uint32_t coming(const Bookings& bookings, conf::Instant now);
  void release(const void* counters);
  bool stand_in_line(queue::Path* path, const void* counters);
  void slow_down(const queue::Path& path, const Use& use, const bounce::Reply& reply, bool turned_away,
                 conf::Instant now);

  Parts parts_;
  struct Line {
    std::deque<queue::Path*> paths;  // in order
    bool leaving = false;            // a connection goes for the first of them
  };
  std::vector<queue::Path*> leasing_;
  std::vector<Wanted> wanted_;
  // Paths that wait until a connection or a transaction of these counters ends.
  std::unordered_map<const void*, Line> lines_;
  // By counters that several share. Its place is the name of the line of those that wait for it.
  std::unordered_map<const mx::Traffic*, Bookings> bookings_;
};

}  // namespace relay
