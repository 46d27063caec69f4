// The open and opening connections of all paths, and what each holds: the delivery that it works on and its
// part of the counters. Keeps the counts of paths and shared lines in step with what is open. Loop thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "mx/limits/admission.h"
#include "relay/flow/flow_state.h"
#include "relay/flow/outbound_connection.h"
#include "relay/flow/path_gate.h"
#include "relay/flow/shared_lines.h"
#include "relay/queue/delivery.h"

namespace relay {

// What a connection does for a delivery, from the moment it takes it until all that could be tried was tried.
struct Job {
  queue::Delivery* delivery = nullptr;  // null: it has none
  std::vector<uint32_t> recipients;     // of the running transaction
  conf::Instant picked_up{};
  conf::Instant began{};
  std::string domain;    // of its recipients
  bool waiting = false;  // for the errand
};

struct Slot {
  std::unique_ptr<OutboundConnection> connection;
  Job job;
  PathGate::Use use;
  uint64_t number = 0;                    // of the connection: an address may be used again
  bool early = false;                     // opened before its message may go
  std::shared_ptr<SharedLine> room_of{};  // says QUIT to make room in it
  conf::Instant rested{};                 // when it last began to rest
  uint32_t most_messages = 0;             // that the server takes on a connection, as far as is known; 0: any
};

class Connections {
 public:
  Connections(const FlowState* flow, PathGate* gate, SharedLines* lines)  // borrowed
      : flow_(flow), gate_(gate), lines_(lines) {}

  // Counts it as opening. A slot stays where it is until it is taken out.
  Slot& add(std::unique_ptr<OutboundConnection> connection, bool early);
  Slot& at(OutboundConnection* connection) { return slots_.at(connection); }  // it must be here
  const Slot& at(OutboundConnection* connection) const { return slots_.at(connection); }
  // Null: it is gone, and what is at its place is another one.
  Slot* find(OutboundConnection* connection, uint64_t number);
  // Those that are opened since `since`, which is past, or longer and are not ready yet. True from `use`: no
  // more of this one; else it is shown again when it was opening for as long once more.
  void take_slow(conf::Instant since, const std::function<bool(OutboundConnection*)>& use);
  // Those that are ready, each once in kLook.
  void look_at_ready(conf::Instant now, const std::function<void(const Slot&)>& use);
  conf::Instant next_look() const { return looks_.empty() ? conf::kNever : looks_.front().since + kLook; }
  conf::Instant oldest_opening() const { return openings_.empty() ? conf::kNever : openings_.front().since; }
  // It was opening and is ready.
  void is_ready(OutboundConnection* connection);
  // Its path no longer counts it; what it holds is the caller's to give back.
  Slot take_out(OutboundConnection* connection);
  // Gives back its part of the counters.
  void give_back(const OutboundConnection& connection, PathGate::Use* use);
  // An ended connection cannot be destroyed inside its own call: it is, with the next free_ended().
  void keep_until_free(std::unique_ptr<OutboundConnection> connection);
  void free_ended() { ended_.clear(); }

  // It waits, open, for a message or for a limit; when that lets the next message of its path go soon, until
  // then.
  void rest(Slot* slot, conf::Instant next = conf::kNever);
  void rests_no_more(OutboundConnection* connection);
  // One that rests at counters which several paths share, and which another path than `by` needs least: one
  // whose path has no mail, else one that had its time. Null: there is none.
  OutboundConnection* least_needed(const PathGate::Wanted& wanted) const;
  // It says QUIT.
  void make_room(const PathGate::Wanted& wanted);
  // May the connection begin another transaction now?
  mx::Admission may_send(const Slot& slot) const;
  // A connection of the path rests that may send now.
  bool any_may_send(const queue::Path& path) const;

  // A delivery that is being sent waits long for the reply of this stage; kNone: it does not.
  void note_silence(const queue::Delivery* to, conf::Stage stage) {
    if (stage != conf::Stage::kNone) {
      silent_to_[to] = stage;
    } else if (!silent_to_.empty()) {
      silent_to_.erase(to);
    }
  }
  conf::Stage silent_to(const queue::Delivery& delivery) const {
    const auto found = silent_to_.find(&delivery);
    return found == silent_to_.end() ? conf::Stage::kNone : found->second;
  }

  size_t size() const { return slots_.size(); }
  bool full() const { return slots_.size() >= flow_->most_connections(); }
  std::unordered_map<const queue::Path*, uint32_t> in_flight_by_path() const;
  template <typename Use>
  void for_each(const Use& use) const {
    for (const auto& [connection, slot] : slots_) use(connection, slot);
  }
  OutboundConnection* any() const { return slots_.empty() ? nullptr : slots_.begin()->first; }

 private:
  static constexpr conf::Duration kLook = std::chrono::seconds(5);
  struct Opening {
    OutboundConnection* connection = nullptr;
    uint64_t number = 0;    // as in its slot
    conf::Instant since{};  // it was begun, or was looked at last
  };

  const FlowState* flow_;
  PathGate* gate_;
  SharedLines* lines_;
  std::deque<Opening> openings_;  // in order; those that are ready or gone leave at the front
  std::deque<Opening> looks_;     // those that are ready, in order of the next look at them
  std::unordered_map<OutboundConnection*, Slot> slots_;
  std::unordered_map<const queue::Delivery*, conf::Stage> silent_to_;
  // By counters that several paths share (mx::Traffic::shared()): those that rest there, the last came last.
  std::unordered_map<const void*, std::vector<OutboundConnection*>> resting_at_;
  std::vector<std::unique_ptr<OutboundConnection>> ended_;
  uint64_t next_number_ = 1;
};

}  // namespace relay
