// What the files of this folder share about the loop.
#pragma once

#include <uv.h>

#include <climits>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "relay/net/deadlines.h"
#include "relay/uv/loop.h"
#include "relay/uv/turns.h"

namespace relay::uv {

struct Stream;

// A listener that waits for descriptors.
struct HeldBack {
  virtual void try_again() = 0;

 protected:
  ~HeldBack() = default;
};

struct Loop::State {
  uv_loop_t uv{};
  uv_async_t async{};
  uv_timer_t timer{};           // set_timer()
  uv_timer_t deadline_timer{};  // the first of `deadlines`
  uv_prepare_t prepare{};
  uv_idle_t idle{};  // runs while a turn is waited for: the loop does not sleep then
  uv_check_t check{};
  std::map<int, std::unique_ptr<uv_signal_t>> signals;
  std::map<int, std::function<void()>> signal_handlers;
  std::function<void(conf::Instant)> timer_handler;
  std::function<void()> round_handler;
  conf::Instant timer_at = conf::kNever;
  conf::Instant deadline_timer_at = conf::kNever;
  Deadlines deadlines;            // owners are Streams
  std::vector<Stream*> news;      // streams with something to tell their users
  std::vector<char> read_buffer;  // shared: libuv fills it and we use it up before the next read
  uint64_t streams = 0;
  std::set<Stream*> finished;                       // accepted ones that wait for their peers to close
  void close_finished(const std::string& network);  // of this network_of(); empty: all. At once
  Turns turns;                                      // of Streams
  // What all may do in a round that takes the processor for long, in octets encrypted: some milliseconds.
  size_t round_work = 2 * 1024 * 1024;
  size_t work_left = 0;  // of it, in this round
  bool may_work(size_t work);
  void wait_for(Turn* turn);
  int descriptor_ceiling = INT_MAX;  // clients are accepted while the next descriptor is below it
  std::vector<HeldBack*> held_back;
  uv_timer_t accept_timer{};  // for those
  bool short_of_descriptors(int any_descriptor) const;
  void hold_back(HeldBack* listener);
  conf::Duration drain_time = std::chrono::minutes(1);   // for a peer that does not read, see Stream
  conf::Duration finish_time = std::chrono::seconds(5);  // for the last bytes to go out and the peer to close
  bool stirred = false;                                  // something happened in this round
  conf::SystemClock clock;

  std::mutex mutex;  // guards the next two
  std::vector<std::function<void()>> posted;
  bool woken = false;

  void run_posted();
  void tell_news();
  void fire_deadlines();
  void give_turns();
  void arm_deadline_timer();
  void end_of_round();
};

// Milliseconds from now, rounded up: never early.
inline uint64_t millis_until(conf::Instant when, conf::Instant now) {
  if (when <= now) return 0;
  return static_cast<uint64_t>(((when - now).count() + 999) / 1000);
}

}  // namespace relay::uv
