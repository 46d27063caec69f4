// The orders to block that hold at present, each a thing of its own: lifting one leaves the others, and the
// latest end of those that mean a path holds for it. They also hold for paths that do not exist yet. Kept in
// the spool over restarts. Loop thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conf/vocab/time.h"
#include "relay/admin/mx_view.h"
#include "relay/spool/relay_clock.h"
#include "relay/spool/spool.h"

namespace relay {

class OrderBook {
 public:
  static constexpr size_t kMost = 1000;
  static constexpr size_t kLongestText = 200;  // octets of each text that is kept

  // `spool` null: nothing is kept. Reads what was kept.
  OrderBook(spool::Spool* spool, const spool::RelayClock* clock);

  // Takes the place of the order with the same target. False: there are kMost already.
  bool add(const admin::MxOrder& order, conf::Instant until);
  // True: there was one with this target. Also those that `covered` says it means.
  bool lift(const admin::MxOrder& order, const std::function<bool(const admin::MxOrder&)>& covered);
  bool has(const admin::MxOrder& order) const;  // one with this target
  // What orders say of rule `from` they say of rule `to`. Of two with one target the later end holds.
  void rename_rule(const std::string& from, const std::string& to);

  struct Entry {
    admin::MxOrder order;
    conf::Instant until{};  // kNever: until it is lifted
  };
  conf::Instant first_end() const;  // kNever: none ends by itself; the past: take_ended() has some
  // Those that are not over. Good until the next call.
  const std::vector<Entry>& all(conf::Instant now);
  // Those that have ended by themselves since the last call, while the relay was down too: each once.
  std::vector<Entry> take_ended(conf::Instant now);

 private:
  void set_ended_apart(conf::Instant now);
  void keep();
  void read(const std::string& text);

  spool::Spool* spool_;
  const spool::RelayClock* clock_;
  std::vector<Entry> entries_;
  std::vector<Entry> ended_;  // for take_ended()
};

// Whether both are about the same paths.
bool same_target(const admin::MxOrder& a, const admin::MxOrder& b);
// "anna: maintenance", for the log.
std::string who_and_why(const admin::MxOrder& order);

}  // namespace relay
